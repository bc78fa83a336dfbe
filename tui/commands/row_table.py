"""Rows as text for people: aligned, with three decimals, no value cut, and without control characters from data.

It is plain padded text, because a table may have tens of thousands of rows.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from textwrap import wrap
from typing import Any

from rich.cells import cell_len

from core.values.derived import named
from store.export import columns_of
from tui.commands.stdout import print_text
from tui.drawing.plain import plain, told_apart

_GAP = "  "
_LEAST = 0.0005
"""A smaller number would look like 0."""
# Columns that tell apart models and tasks of the same name.
_IDENTS = {"model": "model_id", "task": "task_id"}
# Columns that usually have one value in a whole table.
_SUBJECT = (
    "model",
    "task",
    "value",
    "estimator",
    "max_removed",
    "players",
    "partial",
    "permutations",
    "seed",
    "tolerance",
    "settings",
    "intact_acc",
    "chance",
    "n",
    "k",
    "verdict",
    "verdict_k",
    "verdict_cost",
    "verdict_n",
)
Columns = dict[str, list[str]]


def print_rows(rows: Sequence[Any], row_type: type, dropped: Sequence[str] = (), *, as_they_are: bool = False) -> None:
    """Print rows to stdout.

    Args:
        rows: of one table.
        row_type: their dataclass.
        dropped: columns that a narrow terminal goes without, in this order.
        as_they_are: whether the columns are a user's own, so that none means a model or a task.

    On a terminal, a value that all rows share stands once above them, and columns that do not fit are left out, which
    stderr says. Elsewhere every row has every column. A name that several models or tasks share is written name@id.
    """
    columns = _own_columns(rows, row_type) if as_they_are else _columns(rows, row_type)
    numeric = {name for name in columns if _is_numeric([getattr(row, name) for row in rows])}
    if not sys.stdout.isatty():
        head, *body = _lines(columns, numeric)
        print_text("\n".join([head, "─" * cell_len(head), *body, ""]))
        return
    width = shutil.get_terminal_size().columns
    above = wrap(_subject(columns), width) if len(rows) > 1 and not as_they_are else []
    left_out = _narrow(columns, dropped, width)
    first = {name: texts for name, texts in columns.items() if name in {"label", "labels"}}
    head, *body = _lines({**first, **columns}, numeric)
    print_text("\n".join([*map(_bold, [*above, head]), "─" * min(cell_len(head), width), *body, ""]))
    if left_out:
        text = f"left out for width: {', '.join(left_out)}; --format csv has all"
        print(f"\x1b[2m{text}\x1b[0m" if sys.stderr.isatty() else text, file=sys.stderr)


def _subject(columns: Columns) -> str:
    """Remove columns that are the same in all rows, and return their values once."""
    names = [name for name in _SUBJECT if len(set(columns.get(name, ()))) == 1]
    same = {name: columns.pop(name)[0] for name in names}
    if "value" in same:
        same["value"] = named(same["value"])
    return ", ".join(f"{name} {text}" for name, text in same.items() if text not in {"", str(False)})


def _columns(rows: Sequence[Any], row_type: type) -> Columns:
    names = [name for name in columns_of(row_type) if name not in _IDENTS.values()]
    return {name: _texts(name, rows) for name in names}


def _own_columns(rows: Sequence[Any], row_type: type) -> Columns:
    return {name: [_cell(getattr(row, name)) for row in rows] for name in columns_of(row_type)}


def _narrow(columns: Columns, dropped: Sequence[str], width: int) -> list[str]:
    """Remove columns until a line fits ``width``, and return which: the ``dropped`` ones, and then from the right."""
    left_out = []
    named = {"label", "labels", next(iter(columns), "")}
    others = [name for name in reversed(columns) if name not in dropped and name not in named]
    for name in (*dropped, *others):
        if sum(_width(column, texts) + len(_GAP) for column, texts in columns.items()) - len(_GAP) <= width:
            break
        if name in columns:
            del columns[name]
            left_out.append(name)
    return left_out


def _lines(columns: Columns, numeric: set[str]) -> list[str]:
    """Return the heading, and a line for each row."""
    padded = []
    for name, texts in columns.items():
        width = _width(name, texts)
        padded.append([_pad(text, width, right=name in numeric) for text in (name, *texts)])
    return [_GAP.join(cells).rstrip() for cells in zip(*padded, strict=True)]


def _width(name: str, texts: Sequence[str]) -> int:
    return max(map(cell_len, (name, *texts)))


def _pad(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if right else text + space


def _bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m"


def _texts(name: str, rows: Sequence[Any]) -> list[str]:
    if name not in _IDENTS or not rows or not hasattr(rows[0], _IDENTS[name]):
        return [_cell(getattr(row, name)) for row in rows]
    idents = [getattr(row, _IDENTS[name]) for row in rows]
    called = told_apart({(plain(getattr(row, name)), ident) for row, ident in zip(rows, idents, strict=True)})
    return [called[ident] for ident in idents]


def _is_numeric(values: Sequence[object]) -> bool:
    return any(value is not None for value in values) and all(
        value is None or isinstance(value, int | float) for value in values
    )


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.1g}" if 0 < abs(value) < _LEAST else f"{value:.3f}"
        case tuple():
            return "[" + ", ".join(_cell(item) for item in value) + "]"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case _:
            return plain(str(value))
