"""Resolve the definition of a task with the functions that it names, and refuse what cannot be scored as in lm-eval."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lm_eval.tasks._yaml_loader import _import_func_in_yml, load_yaml

from core.errors import CornerstoneError
from core.tasks.definition_faults import fault_of_definition
from core.tasks.entries import WRITES, output_type_of
from core.tasks.expand import Source
from core.tasks.faults import DOCUMENT_FAULTS, first_line
from core.tasks.filter_faults import fault_of_filters
from core.tasks.metric_faults import fault_of_metric
from core.tasks.task_yaml import Function

# Code of a task may raise these when it is imported. lm-eval's own raises RuntimeError without a library, or exits.
_IMPORT_FAULTS = (ImportError, RuntimeError, OSError, SystemExit, *DOCUMENT_FAULTS)

_PICKLES: Final = "pandas"
"""The reader of ``datasets`` that reads pickles, which may run code."""


def definition_of(name: str, source: Source) -> dict[str, Any]:
    """Return a task's definition with its functions, for lm-eval to build it from.

    Raises:
        CornerstoneError: the code of a function cannot be imported, or there is no such function; or the definition
            tells that the task cannot be evaluated.
    """
    try:
        if source.own is None:
            # The code of a task that cannot be evaluated is not imported, because it may run more at once.
            _refuse_faulty(name, load_yaml(source.definition, resolve_func=False))
            return dict(load_yaml(source.definition))
        _refuse_faulty(str(source.own.path), source.own.definition)
        return {key: _resolved(value) for key, value in source.own.definition.items()}
    except _IMPORT_FAULTS as error:
        raise needs_module(name, error) from error


def needs_module(name: str, error: BaseException) -> CornerstoneError:
    """Return the error for code of a task that cannot be imported."""
    return CornerstoneError(f"the code of {name} cannot be imported ({first_line(error)}); install what it needs")


def refuse_what_is_not_scored(name: str, definition: Mapping[str, Any], source: Source) -> None:
    """Refuse a task that has the model do more than give log-probabilities of texts, or write the most likely one.

    Raises:
        CornerstoneError: it is one, or its metrics need what lm-eval does not have.
    """
    where = name if source.own is None else str(source.own.path)
    _refuse_faulty(where, definition)
    if output_type_of(definition) == WRITES or source.own is not None:
        _refuse_metrics(where, definition)
    filters = definition.get("filter_list") if source.own is not None else None
    if filters and (said := fault_of_filters(filters)) is not None:
        raise CornerstoneError(f"{where}: {said}")
    if source.own is not None and definition.get("dataset_path") == _PICKLES:
        raise CornerstoneError(f"{where}: dataset_path: pickles are not read; use json, csv or parquet")


def _refuse_faulty(where: str, definition: Mapping[str, Any]) -> None:
    if (fault := fault_of_definition(definition)) is not None:
        raise CornerstoneError(f"{where} cannot be evaluated: {fault}; choose another task")


def only_file(definition: Mapping[str, Any], source: Source) -> Path | None:
    """Return the JSON-lines file that is all the data of a user's task, to be read strictly; None if it is not so."""
    kwargs = definition.get("dataset_kwargs")
    files = kwargs.get("data_files") if isinstance(kwargs, Mapping) else None
    if source.own is None or definition.get("dataset_path") != "json" or not isinstance(kwargs, Mapping):
        return None
    each = list(files.values()) if isinstance(files, Mapping) else [files]
    if len(kwargs) != 1 or len(each) != 1 or not isinstance(each[0], str) or not each[0].endswith(".jsonl"):
        return None
    return _beside(each[0], source.own.path)


def _beside(path: str, definition: Path) -> Path:
    """Return a path as a definition means it: beside its file, or else as lm-eval does, in the working folder."""
    beside = definition.parent / path
    return beside if beside.exists() or not Path(path).exists() else Path(path)


def _resolved(value: Any) -> Any:
    match value:
        case Function():
            return _import_func_in_yml(value.name, value.folder)
        case Mapping():
            return {key: _resolved(item) for key, item in value.items()}
        case list():
            return [_resolved(item) for item in value]
        case _:
            return value


def _refuse_metrics(where: str, definition: Mapping[str, Any]) -> None:
    """Refuse metrics that lm-eval would fetch and run, or that it does not know."""
    for number, metric in enumerate(definition.get("metric_list") or (), 1):
        said = fault_of_metric(metric, processed=definition.get("process_results") is not None)
        if said is not None:
            raise CornerstoneError(f"{where}: entry {number} of metric_list: {said}")
