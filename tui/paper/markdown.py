"""Tables as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from store.formats.markdown import escaped, line
from tui.drawing.plain import plain
from tui.paper.layout import PaperTable


def to_markdown(tables: Sequence[PaperTable], preface: Sequence[str]) -> str:
    """Return all tables with their notes; ``preface`` holds the sentences before them."""
    return "\n\n".join([*map(_sentence, preface), *map(_table, tables)]) + "\n"


def _sentence(text: str) -> str:
    """Escape a sentence, except for commands between backticks, which stay code. Unpaired backticks are escaped too."""
    parts = plain(text).split("`")
    if len(parts) % 2 == 0:
        return escaped(text)
    return "".join(f"`{part}`" if at % 2 else escaped(part) for at, part in enumerate(parts))


def _table(table: PaperTable) -> str:
    columns = len(table.header)
    lines = [line(map(escaped, table.header)), line(["---", *["---:"] * (columns - 1)])]
    for section in table.sections:
        if section.heading:
            lines.append(line([f"*{escaped(section.heading)}*", *[""] * (columns - 1)]))
        lines += [line(map(escaped, row)) for row in section.rows]
    return "\n\n".join([f"**{escaped(table.title)}**", "\n".join(lines), *map(_sentence, table.notes)])
