"""What tasks there are to choose from, and what each is. Light to import."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.config.run_file import packaged_tasks
from core.errors import CornerstoneError
from core.tasks.dataset_cache import cached_splits
from core.tasks.entries import WRITES, EntryKind, IndexEntry
from core.tasks.index import kept_tasks, lm_eval_tasks, shipped_tasks
from core.tasks.task_yaml import read_definition


@dataclass(frozen=True, slots=True)
class TaskChoice:
    """A task, group or tag that can be chosen.

    Attributes:
        name: its name.
        kind: what the name stands for.
        description: what it is, in a few words.
        documents: how many it has, where that is known at once.
        ships: whether it needs no download.
        known: whether a packaged study uses it.
        refused: why it cannot be evaluated; None if it can.
        definition: its file.
    """

    name: str
    kind: EntryKind = "task"
    description: str = ""
    documents: int | None = None
    ships: bool = False
    known: bool = False
    refused: str | None = None
    definition: Path | None = None


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What the files of a task, and the cache of data sets, tell of it.

    ``dataset`` is the name of its data set, ``cached`` says whether that is there, and ``documents`` how many are read.
    """

    dataset: str
    cached: bool
    documents: int | None = None


def shipped_choices() -> tuple[TaskChoice, ...]:
    """Return the tasks that ship with this package."""
    return tuple(
        TaskChoice(task.name, "task", task.description, task.document_count(), ships=True, known=True)
        for task in shipped_tasks()
    )


def lm_eval_choices(narrate: Callable[[str], None] | None = None) -> tuple[TaskChoice, ...]:
    """Return lm-eval's tasks, groups and tags.

    Raises:
        CornerstoneError: lm-eval's files cannot be read.
    """
    known = packaged_tasks()
    found = kept_tasks()
    return tuple(_of_entry(entry, known) for entry in (lm_eval_tasks(narrate) if found is None else found))


def task_facts(task: TaskChoice) -> TaskFacts | None:
    """Return what is known of a task of lm-eval; None for a group, and for a task whose file does not tell."""
    if task.definition is None or task.kind != "task":
        return None
    try:
        definition = read_definition(task.definition)
    except CornerstoneError:
        return None
    path, name = definition.get("dataset_path"), definition.get("dataset_name")
    if not isinstance(path, str):
        return None
    splits = cached_splits(path, name if isinstance(name, str) else None)
    shown = path if not isinstance(name, str) else f"{path} {name}"
    return TaskFacts(shown, splits is not None, None if splits is None else _documents(definition, splits))


def _documents(definition: Mapping[str, Any], splits: Mapping[str, int]) -> int | None:
    """Return how many documents a task evaluates: those of its test split if it has one, as in lm-eval."""
    for key in ("test_split", "validation_split"):
        if isinstance(split := definition.get(key), str):
            return splits.get(split)
    return None


def _of_entry(entry: IndexEntry, known: frozenset[str]) -> TaskChoice:
    if entry.kind == "task":
        said = "the model writes its answer" if entry.output_type == WRITES else ""
    else:
        said = (
            f"a {entry.kind} of {len(entry.members)} tasks" if len(entry.members) != 1 else f"a {entry.kind} of 1 task"
        )
    return TaskChoice(
        entry.name,
        entry.kind,
        said,
        known=entry.name in known,
        refused=entry.refusal if entry.kind == "task" else entry.fault,
        definition=entry.definition,
    )
