"""`cornerstone tasks` and the list of models: a name is never cut; its description wraps beside it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatch
from textwrap import wrap

from core.errors import CornerstoneError
from core.machine.plain_text import short_repr
from core.tasks.entries import IndexEntry
from core.tasks.index import lm_eval_tasks, shipped_tasks
from tui.commands.stdout import print_text
from tui.drawing.plain import counted, plain

_NARROWEST = 20
_GAP = "  "

Entry = tuple[str, ...]
"""A name, short cells, and a description."""


def print_tasks(pattern: str | None, *, everything: bool) -> None:
    """Print the shipped tasks; with a pattern or ``everything``, also lm-eval's.

    Raises:
        CornerstoneError: no task fits the pattern.
    """
    shipped = {task.name: task for task in shipped_tasks()}
    others = {one.name: one for one in (lm_eval_tasks(_narrate) if everything or pattern is not None else ())}
    fitting = [name for name in (*shipped, *others) if pattern is None or _matches(name, pattern)]
    if pattern is not None and not fitting:
        close = get_close_matches(pattern, [*shipped, *others], n=1)
        hint = f"did you mean {close[0]}?" if close else "`cornerstone tasks --all` lists all there are"
        raise CornerstoneError(f"no task fits {short_repr(pattern)}; {hint}")
    entries: list[Entry] = [("task", "documents", "what")]
    for name in fitting:
        task = shipped.get(name)
        entries.append((name, str(task.document_count()), task.description) if task else _of_lm_eval(others[name]))
    print_entries(entries)
    if others:
        print(
            "the tasks without a number come from lm-eval; their data is downloaded when it is needed", file=sys.stderr
        )


def _of_lm_eval(entry: IndexEntry) -> Entry:
    """Return the line of a name in lm-eval: what it stands for, or why it cannot be evaluated."""
    if entry.kind == "task":
        return entry.name, "", "" if entry.refusal is None else f"not evaluated: {entry.refusal}"
    if entry.fault is not None:
        return entry.name, "", f"a group that is not evaluated: {entry.fault}"
    return entry.name, "", f"a {entry.kind} of {counted(len(entry.members), 'task')}"


def _narrate(text: str) -> None:
    """Print a sentence on stderr, if stderr is a terminal."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)


def _matches(name: str, pattern: str) -> bool:
    return pattern in name or fnmatch(name, pattern)


def print_entries(entries: Sequence[Entry]) -> None:
    """Print a line for each entry. On a terminal, long descriptions wrap; only a name may be too wide."""
    entries = [tuple(map(plain, entry)) for entry in entries]
    *described, _ = zip(*(entry for entry in entries if entry[-1]), strict=True)
    widths = [max(map(len, column)) for column in described]
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print_text("\n".join(line for entry in entries for line in _lines(entry, widths, columns)) + "\n")


def _lines(entry: Entry, widths: Sequence[int], columns: int | None) -> list[str]:
    *cells, what = entry
    lead = _GAP.join([*(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)), ""])
    if columns is None:
        return [(lead + what).rstrip()]
    indent = sum(widths) + len(_GAP) * len(widths)
    room = max(columns - indent, _NARROWEST)
    first, *rest = wrap(what, room) or [""]
    return [(lead + first).rstrip(), *(" " * indent + line for line in rest)]
