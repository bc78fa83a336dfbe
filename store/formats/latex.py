"""A LaTeX tabular for a document that loads booktabs, to be read: numbers have three decimals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from core.machine.plain_text import plain
from store.formats.cells import cell_text, numeric_columns
from store.formats.columns import columns_of
from store.formats.format import Format

# Brackets and stars too: after \\ they would be taken for its arguments. Where a font has no bar, | prints a dash.
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
}


def escaped(text: str) -> str:
    """Return text from data so that LaTeX prints it as it is."""
    return "".join(_SPECIAL.get(char, char) for char in plain(text))


def line(cells: Iterable[str]) -> str:
    """Return a line of a tabular, of cells that are escaped already."""
    return " & ".join(cells) + r" \\"


def _render(rows: Sequence[Any], row_type: type) -> str:
    names, numeric = columns_of(row_type), numeric_columns(row_type)
    sides = "".join("r" if name in numeric else "l" for name in names)
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            rf"\begin{{tabular}}{{{sides}}}",
            r"\toprule",
            line(map(escaped, names)),
            r"\midrule",
            *(line(_cell(getattr(row, name)) for name in names) for row in rows),
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def _cell(value: Any) -> str:
    match value:
        case tuple() | list():
            return ", ".join(map(_cell, value))
        case float() | int():
            return _number(cell_text(value))
        case _:
            return escaped(cell_text(value))


def _number(text: str) -> str:
    """Set the sign of a number as a minus, not as a hyphen, and infinity as its symbol."""
    shown = text.replace("inf", r"\infty")
    return f"${shown}$" if shown != text or text.startswith("-") else text


FORMAT = Format("latex", (".tex",), "a booktabs table", render=_render)
