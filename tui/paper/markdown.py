"""Tables as Markdown."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tui.drawing.plain import plain
from tui.paper.layout import PaperTable

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~])")


def to_markdown(tables: Sequence[PaperTable], preface: Sequence[str]) -> str:
    """Return all tables with their notes; ``preface`` holds the sentences before them."""
    return "\n\n".join([*map(_sentence, preface), *map(_table, tables)]) + "\n"


def escaped(text: str) -> str:
    """Return text from data with Markdown's special characters escaped."""
    return _SPECIAL.sub(r"\\\1", plain(text))


def _sentence(text: str) -> str:
    """Escape a sentence, except for commands between backticks, which stay code. Unpaired backticks are escaped too."""
    parts = plain(text).split("`")
    if len(parts) % 2 == 0:
        return escaped(text)
    return "".join(f"`{part}`" if at % 2 else escaped(part) for at, part in enumerate(parts))


def _table(table: PaperTable) -> str:
    columns = len(table.header)
    lines = [_line(table.header), _line(["---", *["---:"] * (columns - 1)], escape=False)]
    for section in table.sections:
        if section.heading:
            lines.append(_line([f"*{escaped(section.heading)}*", *[""] * (columns - 1)], escape=False))
        lines += [_line(row) for row in section.rows]
    return "\n\n".join([f"**{escaped(table.title)}**", "\n".join(lines), *map(_sentence, table.notes)])


def _line(cells: Sequence[str], *, escape: bool = True) -> str:
    return "| " + " | ".join(escaped(cell) if escape else cell for cell in cells) + " |"
