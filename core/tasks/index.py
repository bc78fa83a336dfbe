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
from difflib import get_close_matches
from importlib import metadata, resources
from pathlib import Path
from typing import Any, Literal, get_args

import yaml

from core.errors import CornerstoneError, Mend
from core.machine.cached_fact import keep_fact, read_fact
from core.machine.paths import cache_folder

EntryKind = Literal["task", "group", "tag"]
Row = tuple[str, EntryKind, str | None]
_KINDS = frozenset(get_args(EntryKind))


@dataclass(frozen=True, slots=True)
class ShippedTask:
    """A task that ships with this package, with its data file beside its definition."""

    name: str
    description: str
    definition: Path
    data: Path

    def document_count(self) -> int:
        return sum(1 for line in self.data.read_text(encoding="utf-8").splitlines() if line.strip())


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """A name that lm-eval knows. A group or tag stands for several tasks."""

    name: str
    kind: EntryKind
    definition: Path | None


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
    rows = _kept_rows()
    if rows is None:
        if narrate is not None:
            narrate("reading which tasks lm-eval has (about 10 s, once)")
        rows = _read_rows()
        if (memory := index_file()) is not None:
            keep_fact(memory, _about(), rows)
    folder = lm_eval_folder()
    return tuple(IndexEntry(name, kind, folder / path if path else None) for name, kind, path in rows)


def _kept_rows() -> list[Row] | None:
    memory = index_file()
    return None if memory is None else rows_of(read_fact(memory, _about()))


def _read_rows() -> list[Row]:
    """Read lm-eval's names in a process of its own, so that this one need not import lm-eval."""
    command = [sys.executable, "-P", "-m", "core.tasks.read_index"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = done.stdout.strip().splitlines()
    try:
        rows = rows_of(json.loads(said[-1])) if done.returncode == 0 and said else None
    except ValueError:
        rows = None
    if rows is None:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise CornerstoneError(f"lm-eval's tasks cannot be listed ({reason})", Mend.CHECK_INSTALL)
    return rows


def rows_of(value: Any) -> list[Row] | None:
    """Return the rows of an index: a name, its kind and its file below lm-eval's folder; None for anything else."""
    if not isinstance(value, list) or not value or not all(map(_is_row, value)):
        return None
    return [(name, kind, path) for name, kind, path in value]


def _is_row(row: Any) -> bool:
    if not isinstance(row, list) or len(row) != 3:
        return False
    name, kind, path = row
    inside = path is None or (isinstance(path, str) and path[:1] != "/" and ".." not in path.split("/"))
    return isinstance(name, str) and isinstance(kind, str) and kind in _KINDS and inside


def _about() -> dict[str, str]:
    return {"what": "the names of lm-eval's tasks", "version": metadata.version("lm-eval")}


def index_file() -> Path | None:
    """Return the file that keeps lm-eval's names; None if this machine cannot keep any."""
    try:
        return cache_folder("lm-eval") / f"names-{metadata.version('lm-eval')}.json"
    except CornerstoneError:
        return None


def lm_eval_task_names(narrate: Callable[[str], None] | None = None) -> list[str]:
    """Return the names of lm-eval's single tasks; see ``lm_eval_tasks``."""
    return [entry.name for entry in lm_eval_tasks(narrate) if entry.kind == "task"]


def find_task(name: str, narrate: Callable[[str], None] | None = None) -> tuple[Path, Path | None]:
    """Return the definition file of a task, and its data file if the task ships with this package.

    ``narrate`` is the same as in ``lm_eval_tasks``.

    Raises:
        CornerstoneError: there is no such task, or the name stands for several.
    """
    for shipped in shipped_tasks():
        if shipped.name == name:
            return shipped.definition, shipped.data
    entries = {entry.name: entry for entry in lm_eval_tasks(narrate)}
    entry = entries.get(name)
    if entry is None:
        known = [task.name for task in shipped_tasks()] + list(entries)
        close = get_close_matches(name, known, n=1, cutoff=0.6)
        if close:
            raise CornerstoneError(f"no task {name!r}; did you mean {close[0]}?")
        raise CornerstoneError(f"no task {name!r}", Mend.LIST_TASKS)
    if entry.kind != "task" or entry.definition is None:
        members = [other for other in entries if other.startswith(f"{name}_")][:3]
        example = f", such as {', '.join(members)}" if members else ""
        raise CornerstoneError(f"{name!r} is a {entry.kind} of several tasks; name single ones{example}")
    return entry.definition, None


def _shipped(definition: Path) -> ShippedTask:
    config = yaml.safe_load(definition.read_text(encoding="utf-8"))
    (data,) = config["dataset_kwargs"]["data_files"].values()
    return ShippedTask(config["task"], config["metadata"]["description"], definition, definition.parent / data)


def lm_eval_folder() -> Path:
    """Return the folder of lm-eval's task definitions."""
    spec = importlib.util.find_spec("lm_eval")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations))) / "tasks"
