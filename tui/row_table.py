"""Rows of a store's table as people read them: aligned, three decimals, nothing cut, nothing from data obeyed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from store.export import columns_of
from tui.text import plain, told_apart

_UNBOUNDED = 1_000_000
# Columns that tell apart what shares a name.
_IDENTS = {"model": "model_id", "task": "task_id"}
# What a whole table is about, as a rule.
_SUBJECT = ("model", "task", "value", "estimator", "max_removed")


def print_rows(rows: Sequence[Any], row_type: type) -> None:
    """Print rows to stdout.

    On a terminal, what is the same in all rows stands once above them; the lines of a table that is still too wide
    are wrapped by the terminal. Elsewhere every row has every column. A name that several share is name@id.
    """
    names = [name for name in columns_of(row_type) if name not in _IDENTS.values()]
    columns = {name: _texts(name, rows) for name in names}
    numeric = {name for name in columns if _is_numeric([getattr(row, name) for row in rows])}
    terminal = sys.stdout.isatty()
    out = Console(force_terminal=terminal, markup=False, highlight=False, emoji=False)
    if terminal and len(rows) > 1:
        subject = {name: columns.pop(name)[0] for name in _SUBJECT if len(set(columns.get(name, ()))) == 1}
        out.print(Text(", ".join(f"{name} {text}" for name, text in subject.items()), "bold"), soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in columns:
        table.add_column(Text(name), justify="right" if name in numeric else "left", no_wrap=True)
    for cells in zip(*columns.values(), strict=True):
        table.add_row(*map(Text, cells))
    unbounded = out.options.update(width=_UNBOUNDED, max_width=_UNBOUNDED)
    out.width = Measurement.get(out, unbounded, table).maximum
    out.print(table)


def _texts(name: str, rows: Sequence[Any]) -> list[str]:
    texts = [_cell(getattr(row, name)) for row in rows]
    if name not in _IDENTS or not rows or not hasattr(rows[0], _IDENTS[name]):
        return texts
    idents = [getattr(row, _IDENTS[name]) for row in rows]
    called = told_apart(zip(texts, idents, strict=True))
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
            return f"{value:.3f}"
        case tuple():
            return "[" + ", ".join(_cell(item) for item in value) + "]"
        case _:
            return plain(str(value))
