"""Tables as LaTeX, for a document that loads booktabs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from store.formats.latex import escaped, line
from tui.drawing.plain import plain
from tui.paper.layout import PaperTable, Section

_NUMBER = re.compile(r"Table \d+\. ")
_INDENT = "    "


def to_latex(tables: Sequence[PaperTable], preface: Sequence[str]) -> str:
    """Return one table environment per table; ``preface`` becomes comments."""
    comments = [f"% {plain(sentence)}" for sentence in ("needs \\usepackage{booktabs}", *preface)]
    return "\n\n".join(["\n".join(comments), *map(_table, tables)]) + "\n"


def _table(table: PaperTable) -> str:
    columns = len(table.header)
    body = f"\n{_INDENT}\\midrule\n".join(_section(section, columns) for section in table.sections)
    # The number is removed, because LaTeX numbers tables itself.
    caption = escaped(_NUMBER.sub("", table.title)) + "."
    notes = [rf"  \par\smallskip\parbox{{\linewidth}}{{\footnotesize {' '.join(map(escaped, table.notes))}}}"]
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{caption}}}",
            rf"  \label{{tab:{table.key}}}",
            rf"  \begin{{tabular}}{{l{'r' * (columns - 1)}}}",
            rf"{_INDENT}\toprule",
            _line(table.header),
            rf"{_INDENT}\midrule",
            body,
            rf"{_INDENT}\bottomrule",
            r"  \end{tabular}",
            *(notes if table.notes else []),
            r"\end{table}",
        ]
    )


def _section(section: Section, columns: int) -> str:
    heading = [rf"{_INDENT}\multicolumn{{{columns}}}{{l}}{{\emph{{{escaped(section.heading)}}}}} \\"]
    return "\n".join([*(heading if section.heading else []), *map(_line, section.rows)])


def _line(cells: Sequence[str]) -> str:
    return _INDENT + line(map(escaped, cells))
