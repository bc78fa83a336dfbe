"""Check a store: every block, the schema, every value of every table, and the rules that rows obey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import CornerstoneError, Mend
from store.file.cause import cause_of
from store.file.patience import OnWait
from store.file.place import is_like_a_database, is_there, shown
from store.maintenance.apart import CrashError, apart
from store.maintenance.blocks import is_duckdb
from store.maintenance.examine import Unreadable, examine


@dataclass(frozen=True, slots=True)
class Report:
    """What a check has found.

    Attributes:
        sound: whether there is no problem.
        problems: a sentence for each kind of damage.
        schema_version: the version of the schema; None if it cannot be read.
        outcomes: how many outcomes the store has; None if they cannot be counted.
        notes: what is not damage but worth knowing.
    """

    sound: bool
    problems: tuple[str, ...]
    schema_version: int | None
    outcomes: int | None
    notes: tuple[str, ...] = ()


def check(path: Path, patience: float, on_wait: OnWait | None = None, *, quick: bool = False) -> Report:
    """Read all of a store and report what is wrong with it. Nothing is changed.

    Args:
        path: the file of the store.
        patience: seconds to wait while another program writes to it.
        on_wait: hears who that is, if it takes longer than 2 seconds.
        quick: check blocks and schema only, and read all rows only if one of the blocks is damaged.

    Raises:
        CornerstoneError: there is no such file, it is no store of this program, or it stays in use.
    """
    refuse_other_files(path)
    found = _Found()
    try:
        apart(examine, path, patience, quick, told=found.take, on_wait=on_wait)
    except CrashError as crash:
        found.problems.append(f"DuckDB could not go on {found.doing}: {crash}")
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise CornerstoneError(f"cannot check {shown(path)}: {where}{cause_of(error)}") from error
    problems = tuple(dict.fromkeys([*found.problems, *_unreadable(found.unreadable)]))
    return Report(not problems, problems, found.version, found.outcomes, tuple(found.notes))


def refuse_other_files(path: Path) -> None:
    """Refuse what is no DuckDB file.

    Raises:
        CornerstoneError: there is no such file, it is of another kind, or it cannot be read.
    """
    if not is_there(path):
        raise CornerstoneError(f"there is no store at {shown(path)}", Mend.OTHER_STORE)
    try:
        if is_duckdb(path) or is_like_a_database(path):
            return
    except OSError as error:
        raise CornerstoneError(f"cannot read {shown(path)}: {error.strerror}", Mend.OTHER_STORE) from error
    raise CornerstoneError(f"{shown(path)} is not a DuckDB file", Mend.OTHER_STORE)


def _unreadable(columns: Sequence[Unreadable]) -> list[str]:
    """Return a sentence for each table and reason."""
    names: dict[tuple[str, int, str], list[str]] = {}
    for one in columns:
        names.setdefault((one.table, one.of, one.why), []).append(one.column)
    return [
        f"{table} cannot be read in full: {why}"
        + ("" if len(of_it) == of else f" ({', '.join(of_it)}; {of - len(of_it)} more columns can be read)")
        for (table, of, why), of_it in names.items()
    ]


@dataclass(slots=True)
class _Found:
    """What the process that reads the store has said so far."""

    problems: list[str] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    doing: str = "while it opened the file"
    version: int | None = None
    outcomes: int | None = None

    def take(self, message: Any) -> None:
        kind, content = message
        match kind:
            case "problem":
                self.problems.append(content)
            case "unreadable":
                self.unreadable.append(content)
            case "note":
                self.notes.append(content)
            case "doing":
                self.doing = content
            case "version":
                self.version = content
            case "outcomes":
                self.outcomes = content
