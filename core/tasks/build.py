"""Build lm-eval tasks by name, with a local file in place of the data set on request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import datasets
import jinja2
import yaml
from lm_eval.api.task import Task
from lm_eval.tasks import TaskManager
from lm_eval.tasks._yaml_loader import load_yaml

from core.errors import CornerstoneError, Mend
from core.machine.quiet_libraries import quiet_libraries
from core.tasks import dataset_hub
from core.tasks.data_file import DataFile, check_data_file
from core.tasks.index import find_task

OUTPUT_TYPES = ("multiple_choice", "loglikelihood", "loglikelihood_rolling")

_FEWSHOT_SEED = 1234
"""lm-eval's default seed, so that the few-shot examples are those that lm-eval would draw."""

# Exceptions that a task's code or templates raise for a document that lacks a field they need.
DOCUMENT_FAULTS = (
    KeyError,
    IndexError,
    ValueError,
    TypeError,
    AttributeError,
    SyntaxError,
    AssertionError,
    jinja2.UndefinedError,
)


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
    name: str, *, data: Path | None, num_fewshot: int | None, offline: bool, narrate: Callable[[str], None]
) -> BuiltTask:
    """Build a task and load its data.

    Args:
        name: a shipped task or one of lm-eval's.
        data: a JSON-lines file to read instead of the task's data set.
        num_fewshot: number of examples in the prompt; None for the task's own default.
        offline: forbid downloads.
        narrate: called with a sentence before a download and other slow work.

    Raises:
        CornerstoneError: there is no such task, it must generate text, its code needs a module that is not installed,
            the data does not fit, or the data cannot be read or downloaded.
    """
    definition_path, shipped_data = find_task(name, narrate)
    definition = _definition(name, definition_path)
    _refuse_generation(name, definition)
    path = data or shipped_data
    file = None if path is None else check_data_file(path.resolve(), name, definition)
    if file is None:
        _announce_download(name, definition, offline=offline, narrate=narrate)
    overlay = {"include": str(definition_path), "task": name}
    if file is not None:
        wanted = _shots(definition.get("num_fewshot"), num_fewshot)
        _refuse_too_few(file, name, wanted)
        overlay |= _stand_in(file.path, fewshot=wanted > 0)
    try:
        with quiet_libraries():
            task = _from_overlay(name, overlay)
            docs = task.eval_docs
            shots = _set_fewshot(task, num_fewshot)
    except DOCUMENT_FAULTS as error:
        source = f"the data in {file.path}" if file else "its data set"
        raise CornerstoneError(f"{name} cannot use {source}: {document_fault(error)}") from error
    except ImportError as error:
        raise _needs_module(name, error) from error
    except (OSError, datasets.exceptions.DatasetsError) as error:
        raise CornerstoneError(
            f"the data set of {name} cannot be loaded ({_first_line(error)})", Mend.GIVE_LOCAL_DATA
        ) from error
    _refuse_generation(name, {"output_type": task.OUTPUT_TYPE})
    origin = str(file.path) if file else "/".join(filter(None, (task.DATASET_PATH, task.DATASET_NAME)))
    return BuiltTask(name, task, docs, origin, file, shots)


def _definition(name: str, path: Path) -> dict[str, Any]:
    """Return the content of lm-eval's YAML file, with its functions resolved."""
    try:
        return dict(load_yaml(path))
    except ImportError as error:
        raise _needs_module(name, error) from error


def _needs_module(name: str, error: ImportError) -> CornerstoneError:
    return CornerstoneError(f"the code of {name} cannot be imported ({_first_line(error)}); install what it needs")


def _refuse_generation(name: str, definition: dict[str, Any]) -> None:
    output_type = definition.get("output_type", OUTPUT_TYPES[0])
    if output_type not in OUTPUT_TYPES:
        raise CornerstoneError(
            f"{name} is a {output_type} task, for which the model must generate text; "
            "choose a multiple-choice or log-likelihood task"
        )


def _stand_in(path: Path, *, fewshot: bool) -> dict[str, Any]:
    """Return overrides that make a task read ``path``; few-shot examples come from its other rows."""
    return {
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": {"data_files": {"test": str(path)}},
        "training_split": None,
        "validation_split": None,
        "test_split": "test",
        "fewshot_split": "test" if fewshot else None,
    }


def _from_overlay(name: str, overlay: dict[str, Any]) -> Task:
    """Let lm-eval build the task that a definition describes."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.yaml"
        path.write_text(yaml.safe_dump(overlay), encoding="utf-8")
        built = TaskManager(include_defaults=False).load(str(path))["tasks"]
    return next(iter(built.values()))


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
    narrate(f"downloading the data set {path} (at most {size / 1e6:.0f} MB) for {name}")


def document_fault(error: BaseException) -> str:
    """Describe one of ``DOCUMENT_FAULTS`` in words."""
    if isinstance(error, KeyError):
        return f"the field {error} is missing"
    if isinstance(error, IndexError):
        return "a choice is empty, or the gold answer is none of the choices"
    if isinstance(error, ValueError) and (label := str(error).removesuffix(" is not in list")) != str(error):
        return f"the gold answer {label} is none of the choices"
    return _first_line(error)


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
