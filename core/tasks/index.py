"""The names of tasks: those that ship with this package, and those in lm-eval.

Reading lm-eval's 14 000 task files takes seconds, so their names are cached per lm-eval version.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from typing import Any

from core.errors import CornerstoneError, Mend
from core.machine.cached_fact import keep_fact, read_fact
from core.machine.paths import cache_folder
from core.machine.yaml_text import load_shipped
from core.tasks.entries import EntryKind, IndexEntry, with_details

Row = tuple[str, EntryKind, str | None, Any]
"""A name, its kind, its file below lm-eval's folder, and ``IndexEntry.details``."""


@dataclass(frozen=True, slots=True)
class ShippedTask:
    """A task that ships with this package, with its data file beside its definition."""

    name: str
    description: str
    definition: Path
    data: Path

    def document_count(self) -> int:
        return sum(1 for line in self.data.read_text(encoding="utf-8").splitlines() if line.strip())


def shipped_tasks() -> tuple[ShippedTask, ...]:
    """Return the tasks that need no download, by name."""
    folder = Path(str(resources.files("configs"))) / "tasks"
    return tuple(_shipped(definition) for definition in sorted(folder.glob("*.yaml")))


def lm_eval_tasks(narrate: Callable[[str], None] | None = None) -> tuple[IndexEntry, ...]:
    """Return all names in lm-eval, sorted.

    The first call after an lm-eval upgrade is slow, which ``narrate`` announces.

    Raises:
        CornerstoneError: lm-eval's files cannot be read.
    """
    memory = index_file()
    found = kept_tasks()
    if found is None:
        if narrate is not None:
            narrate("reading which tasks lm-eval has (about 15 s, once)")
        rows, found = _read_rows()
        if memory is not None:
            keep_fact(memory, _about(), rows)
    return found


def kept_tasks() -> tuple[IndexEntry, ...] | None:
    """Return all names in lm-eval if they were read before; None if not."""
    memory = index_file()
    return None if memory is None else entries_of(read_fact(memory, _about()))


def _read_rows() -> tuple[Any, tuple[IndexEntry, ...]]:
    """Read lm-eval's tasks in a process of its own, so that this one need not import lm-eval."""
    command = [sys.executable, "-P", "-m", "core.tasks.read_index"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout.strip().splitlines()
    try:
        rows = json.loads(said[-1]) if done.returncode == 0 and said else None
    except ValueError:
        rows = None
    found = entries_of(rows)
    if found is None:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CornerstoneError(f"lm-eval's tasks cannot be listed ({reason})", Mend.CHECK_INSTALL)
    return rows, found


def entries_of(value: Any) -> tuple[IndexEntry, ...] | None:
    """Return the entries of an index from its rows, which are ``Row`` as JSON holds it; None for anything else."""
    if not isinstance(value, list) or not value:
        return None
    folder = lm_eval_folder()
    try:
        return tuple(_entry(row, folder) for row in value)
    except ValueError:
        return None


def _entry(row: Any, folder: Path) -> IndexEntry:
    match row:
        case [str(name), ("task" | "group" | "tag") as kind, None | str() as path, details]:
            if path is not None and (path[:1] == "/" or ".." in path.split("/")):
                raise ValueError(f"{path!r} is outside the folder of lm-eval's tasks")
            return with_details(name, kind, folder / path if path else None, details)
    raise ValueError(f"{row!r} is no row of an index")


def _about() -> dict[str, str]:
    return {"what": "lm-eval's tasks with their faults, and groups", "version": metadata.version("lm-eval")}


def index_file() -> Path | None:
    """Return the file that keeps lm-eval's names; None if this machine cannot keep any."""
    try:
        return cache_folder("lm-eval") / f"tasks-{metadata.version('lm-eval')}.json"
    except CornerstoneError:
        return None


def lm_eval_task_names(narrate: Callable[[str], None] | None = None) -> list[str]:
    """Return the names of lm-eval's single tasks; see ``lm_eval_tasks``."""
    return [entry.name for entry in lm_eval_tasks(narrate) if entry.kind == "task"]


def runnable_names() -> list[str]:
    """Return the names in lm-eval that may be evaluated: single tasks, groups and tags."""
    found = lm_eval_tasks()
    refused = {entry.name for entry in found if entry.kind == "task" and entry.refusal is not None}
    return [
        entry.name
        for entry in found
        if entry.name not in refused
        and entry.fault is None
        and not (entry.members and refused.issuperset(entry.members))
    ]


def _shipped(definition: Path) -> ShippedTask:
    config = load_shipped(definition.read_text(encoding="utf-8"))
    (data,) = config["dataset_kwargs"]["data_files"].values()
    return ShippedTask(config["task"], config["metadata"]["description"], definition, definition.parent / data)


def lm_eval_folder() -> Path:
    """Return the folder of lm-eval's task definitions."""
    spec = importlib.util.find_spec("lm_eval")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations))) / "tasks"
