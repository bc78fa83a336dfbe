"""Build lm-eval tasks by name, with a local file in place of the data set on request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
from lm_eval.api.task import Task
from lm_eval.tasks import TaskManager

from core.errors import CornerstoneError, Mend
from core.machine.byte_count import in_bytes
from core.machine.quiet_libraries import quiet_libraries
from core.machine.regular_file import real_path
from core.tasks import dataset_hub
from core.tasks.data_file import DataFile, read_data_file
from core.tasks.definition import definition_of, needs_module, only_file, refuse_what_is_not_scored
from core.tasks.entries import is_evaluated, none_of_the_kinds
from core.tasks.expand import Source
from core.tasks.faults import DOCUMENT_FAULTS, document_fault, fault_of_document, first_line, with_null_fields
from core.tasks.rows_dataset import SPLIT, dataset_of
from core.tasks.templates import sandbox_templates

_FEWSHOT_SEED = 1234
"""lm-eval's default seed, so that the few-shot examples are those that lm-eval would draw."""


@dataclass(frozen=True, slots=True)
class BuiltTask:
    """An lm-eval task with its documents.

    ``file`` is the local data file, if there is one. ``origin`` says where the data came from.
    """

    name: str
    task: Task
    docs: Any
    origin: str
    file: DataFile | None
    num_fewshot: int

    def where(self, doc_id: int) -> str:
        """Return a document's location for a message: its line in the file, if each row became exactly one document."""
        if self.file is not None and len(self.docs) == len(self.file.lines):
            return self.file.where(doc_id)
        return f"{self.name}, document {doc_id}"


def build_task(
    name: str,
    source: Source,
    *,
    data: Path | None,
    num_fewshot: int | None,
    offline: bool,
    narrate: Callable[[str], None],
) -> BuiltTask:
    """Build a task and load its data. Code that its definition names runs, so it must be trusted.

    Args:
        name: the task.
        source: where it is defined.
        data: a JSON-lines file to read instead of the task's data set.
        num_fewshot: number of examples in the prompt; None for the task's own default.
        offline: forbid downloads.
        narrate: called with a sentence before a download and other slow work.

    Raises:
        CornerstoneError: it draws texts at random, its definition is wrong, its code needs a module that is not
            installed, the data does not fit, or the data cannot be read or downloaded.
    """
    sandbox_templates()
    definition = definition_of(name, source)
    refuse_what_is_not_scored(name, definition, source)
    path = data or source.data or only_file(definition, source)
    if path is None:
        file = None
        _announce_download(name, definition, offline=offline, narrate=narrate)
        settings = definition
    else:
        file, rows = read_data_file(real_path(path), name, definition)
        wanted = _shots(definition.get("num_fewshot"), num_fewshot)
        _refuse_too_few(file, name, wanted)
        settings = definition | _stand_in(rows, fewshot=wanted > 0)
    try:
        with quiet_libraries():
            task = _built(name, settings)
            docs = task.eval_docs
            shots = _set_fewshot(task, num_fewshot)
    except DOCUMENT_FAULTS as error:
        raise _unusable(name, file, error) from error
    except ImportError as error:
        raise needs_module(name, error) from error
    except (OSError, datasets.exceptions.DatasetsError) as error:
        raise CornerstoneError(
            f"the data set of {name} cannot be loaded ({first_line(error)})", Mend.GIVE_LOCAL_DATA
        ) from error
    # The rows are data, and no part of the definition that identifies the task.
    task.set_config("custom_dataset", definition.get("custom_dataset"))
    if not is_evaluated(str(task.OUTPUT_TYPE)):
        raise CornerstoneError(f"{name} cannot be evaluated: {none_of_the_kinds(str(task.OUTPUT_TYPE))}")
    origin = str(file.path) if file else "/".join(filter(None, (task.DATASET_PATH, task.DATASET_NAME)))
    return BuiltTask(name, task, docs, origin, file, shots)


def _stand_in(rows: list[dict[str, Any]], *, fewshot: bool) -> dict[str, Any]:
    """Return overrides that make a task read ``rows``; few-shot examples come from its other rows."""
    dataset = dataset_of(rows)
    return {
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": {},
        "custom_dataset": lambda **_settings: dataset,
        "training_split": None,
        "validation_split": None,
        "test_split": SPLIT,
        "fewshot_split": SPLIT if fewshot else None,
    }


def _built(name: str, settings: dict[str, Any]) -> Task:
    """Let lm-eval build the task that settings describe."""
    built = TaskManager(include_defaults=False).load({**settings, "task": name})["tasks"]
    return next(iter(built.values()))


def _unusable(name: str, file: DataFile | None, error: Exception) -> CornerstoneError:
    """Return the error for data that a task could not be built from, with the first row that it cannot use."""
    source = f"the data in {file.path}" if file else "its data set"
    task = _half_built(error)
    if task is not None and file is not None:
        with quiet_libraries():
            found = _first_fault(task, task.dataset[SPLIT])
        if found is not None:
            row, said = found
            return CornerstoneError(f"{file.where(row)}: {name} cannot use the data ({said})")
    return CornerstoneError(f"{name} cannot use {source} ({document_fault(error)})")


def _half_built(error: Exception) -> Task | None:
    """Return the task whose constructor raised an error; lm-eval tries the first document there.

    Only the frames of the traceback still know the task.
    """
    trace = error.__traceback__
    while trace is not None:
        task = trace.tb_frame.f_locals.get("self")
        if isinstance(task, Task) and getattr(task, "dataset", None) is not None:
            return task
        trace = trace.tb_next
    return None


def _first_fault(task: Task, rows: datasets.Dataset) -> tuple[int, str] | None:
    """Return the first row that a task cannot use and what is wrong with it; None if no row by itself is at fault.

    It is found by halving, because ``process_docs`` takes milliseconds even for a single row.
    """
    start, stop = 0, len(rows)
    while stop - start > 1:
        middle = (start + stop) // 2
        if _fault_of_rows(task, rows.select(range(start, middle))) is None:
            start = middle
        else:
            stop = middle
    said = _fault_of_rows(task, rows.select([start]))
    return None if said is None else (start, with_null_fields(said, rows[start]))


def _fault_of_rows(task: Task, rows: datasets.Dataset) -> str | None:
    """Return what is wrong with rows of a data set, in words; None if the task can use them."""
    try:
        docs = rows if task.config.process_docs is None else task.config.process_docs(rows)
        task.features = list(docs.features)
        return next((said for doc in docs if (said := fault_of_document(task, doc)) is not None), None)
    except DOCUMENT_FAULTS as error:
        return document_fault(error)


def _shots(default: int | None, asked: int | None) -> int:
    """Return the number of examples, by lm-eval's rule: a task whose definition says 0 stays at 0."""
    return (default if asked is None or default == 0 else asked) or 0


def _refuse_too_few(file: DataFile, name: str, shots: int) -> None:
    """Refuse a file with too few rows for the examples.

    The examples of a document are other rows. lm-eval draws one more than needed, in case it draws the document itself.
    """
    if len(file.lines) <= shots:
        raise CornerstoneError(
            f"{file.path} has {len(file.lines)} rows, and {shots} examples in the prompt of {name} need {shots + 1}; "
            "ask for fewer (num_fewshot)"
        )


def _set_fewshot(task: Task, num_fewshot: int | None) -> int:
    """Set the number of examples and the seed; return the number."""
    shots = _shots(task.get_config("num_fewshot"), num_fewshot)
    task.set_config(key="num_fewshot", value=shots)
    task.set_fewshot_seed(seed=_FEWSHOT_SEED)
    return shots


def _announce_download(name: str, definition: dict[str, Any], *, offline: bool, narrate: Callable[[str], None]) -> None:
    """Announce the size of a data set that must be downloaded, or refuse the download."""
    path = definition.get("dataset_path")
    if path is None or path == "json" or dataset_hub.dataset_cached(path, definition.get("dataset_name")):
        return
    if offline:
        said = f"{name} reads the data set {path}, which is not cached and cannot be fetched offline"
        raise CornerstoneError(said, Mend.GIVE_LOCAL_DATA)
    size = dataset_hub.dataset_size(path)
    if size is None:
        said = f"{name} reads the data set {path}, and the hub could not be reached"
        raise CornerstoneError(said, Mend.GIVE_LOCAL_DATA)
    narrate(f"downloading the data set {path} (at most {in_bytes(size)}) for {name}")
