"""Resolve the definition of a task with the functions that it names, and refuse what is not scored as in lm-eval."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lm_eval.api.registry import AGGREGATION_REGISTRY, METRIC_REGISTRY
from lm_eval.tasks._yaml_loader import _import_func_in_yml, load_yaml

from core.errors import CornerstoneError
from core.machine.plain_text import plain, short_repr
from core.tasks.entries import OUTPUT_TYPES, must_generate, output_type_of
from core.tasks.expand import Source
from core.tasks.faults import DOCUMENT_FAULTS, first_line
from core.tasks.task_yaml import Function

# What code may raise when it is imported: lm-eval's own raises RuntimeError where a library is not there.
_IMPORT_FAULTS = (ImportError, RuntimeError, OSError, *DOCUMENT_FAULTS)

_PICKLES: Final = "pandas"
"""The reader of ``datasets`` that reads pickles, which may run code."""


def definition_of(name: str, source: Source) -> dict[str, Any]:
    """Return a task's definition with its functions, for lm-eval to build it from.

    Raises:
        CornerstoneError: the code of a function cannot be imported, or there is no such function.
    """
    try:
        if source.own is None:
            return dict(load_yaml(source.definition))
        return {key: _resolved(value) for key, value in source.own.definition.items()}
    except _IMPORT_FAULTS as error:
        raise needs_module(name, error) from error


def needs_module(name: str, error: BaseException) -> CornerstoneError:
    """Return the error for code of a task that cannot be imported."""
    return CornerstoneError(f"the code of {name} cannot be imported ({first_line(error)}); install what it needs")


def refuse_what_is_not_scored(name: str, definition: Mapping[str, Any], source: Source) -> None:
    """Refuse a task that is not scored by the log-probabilities of texts, or not by those alone.

    Raises:
        CornerstoneError: it is one.
    """
    where = name if source.own is None else str(source.own.path)
    output_type = output_type_of(definition)
    if output_type not in OUTPUT_TYPES:
        why = must_generate(output_type)
        raise CornerstoneError(f"{where} cannot be evaluated: {why}; choose a multiple-choice or log-likelihood task")
    for field in ("doc_to_image", "doc_to_audio"):
        if definition.get(field) is not None:
            raise CornerstoneError(f"{where} cannot be evaluated: {field} is no text")
    if definition.get("filter_list") or (definition.get("repeats") or 1) != 1:
        field = "filter_list" if definition.get("filter_list") else "repeats"
        raise CornerstoneError(f"{where} cannot be evaluated: {field} is for tasks that generate text")
    if source.own is not None:
        _refuse_own(where, definition)


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


def _refuse_own(where: str, definition: Mapping[str, Any]) -> None:
    """Refuse what lm-eval would fetch and run, or load from pickles, for a task of the user."""
    for number, metric in enumerate(definition.get("metric_list") or (), 1):
        said = _fault_of_metric(metric, processed=definition.get("process_results") is not None)
        if said is not None:
            raise CornerstoneError(f"{where}: entry {number} of metric_list: {said}")
    if definition.get("dataset_path") == _PICKLES:
        raise CornerstoneError(f"{where}: dataset_path: pickles are not read; use json, csv or parquet")


def _fault_of_metric(metric: Mapping[str, Any], *, processed: bool) -> str | None:
    """Return what is wrong with a metric; ``processed`` says whether a function of the task computes it."""
    name, how = metric["metric"], metric.get("aggregation")
    known = name in METRIC_REGISTRY if isinstance(name, str) else False
    if metric.get("hf_evaluate"):
        return "hf_evaluate would fetch and run code"
    if isinstance(name, str) and not known and not processed:
        return f"lm-eval has no metric {short_repr(name)}"
    if isinstance(how, str) and how not in AGGREGATION_REGISTRY:
        return f"lm-eval has no aggregation {short_repr(how)}"
    return None if how is not None or known else f"{plain(str(name))} needs an aggregation"
