"""`cornerstone models` and `cornerstone tasks`: what can be named."""

from __future__ import annotations

from fnmatch import fnmatch

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.aliases import aliases, cached
from core.task_index import lm_eval_task_names, shipped_tasks
from tui.text import plain


def print_models() -> None:
    """The aliases, whether they are here already, and what else can be named."""
    table = _table("model", "what", "download", "cached")
    for alias in aliases():
        size = "" if alias.download_mb is None else f"{alias.download_mb:,} MB"
        _add(table, alias.name, alias.description, size, "yes" if cached(alias) else "no")
    _print(table)
    Console(stderr=True, markup=False).print("also: any hub id, a local safetensors folder, a .gguf file")


def print_tasks(pattern: str | None, *, everything: bool) -> None:
    """The shipped tasks; with a pattern or ``everything``, lm-eval's too."""
    table = _table("task", "what", "documents")
    for task in shipped_tasks():
        if pattern is None or _matches(task.name, pattern):
            _add(table, task.name, task.description, str(task.document_count()))
    if everything or pattern is not None:
        for name in lm_eval_task_names():
            if pattern is None or _matches(name, pattern):
                _add(table, name, "lm-eval", "")
    _print(table)


def _matches(name: str, pattern: str) -> bool:
    return pattern in name or fnmatch(name, pattern)


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column)
    return table


def _add(table: Table, *cells: str) -> None:
    table.add_row(*(Text(plain(cell)) for cell in cells))


def _print(table: Table) -> None:
    Console(markup=False).print(table)
