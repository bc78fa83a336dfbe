"""A table in GitHub's Markdown, to be read: numbers have three decimals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from core.machine.plain_text import plain
from store.formats.cells import cell_text, numeric_columns
from store.formats.columns import columns_of
from store.formats.format import Format

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~&$])")


def escaped(text: str) -> str:
    """Return text from data so that Markdown shows it as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", plain(text))


def line(cells: Iterable[str]) -> str:
    """Return a line of a table, of cells that are escaped already."""
    return "| " + " | ".join(cells) + " |"


def _render(rows: Sequence[Any], row_type: type) -> str:
    names, numeric = columns_of(row_type), numeric_columns(row_type)
    lines = [line(map(escaped, names)), line("---:" if name in numeric else "---" for name in names)]
    lines += [line(escaped(cell_text(getattr(row, name))) for name in names) for row in rows]
    return "\n".join(lines) + "\n"


FORMAT = Format("markdown", (".md", ".markdown"), "a GitHub table", render=_render)
