"""Filters of tables: a text to look for, or conditions on columns such as ``drop > .2 and kind = attn``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from typing import Any, Final

from core.errors import CornerstoneError
from tui.explorer.listing import Line, Listing, shown_whole

GRAMMAR: Final = 'a text, or columns: drop > .2 and player = "FFN 0"  (= != < <= > >= ~ contains)'
"""What may be written, in short."""

_QUOTED = r""""[^"]*"|'[^']*'"""
_SIGN = re.compile(rf"({_QUOTED})|(!=|<>|<=|>=|==|=|<|>|!~|~)")
_AND = re.compile(rf"({_QUOTED})|(?<=\s)(and)(?=\s|$)", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?%?", re.IGNORECASE)
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SAME: Final = {"==": "=", "<>": "!="}
_LISTED: Final = 8
# A person means the player by "FFN 0", whatever the column is called.
_NAMED_BY_PLAYER: Final = ("layer", "player")

Keeps = Callable[[Line], bool]
"""Tells whether a line passes a filter."""


class FilterError(CornerstoneError):
    """A filter that cannot be read. The message says why."""


@dataclass(frozen=True, slots=True)
class _Condition:
    """A column, a comparison, and the value as it was written, without its quotes."""

    column: str
    sign: str
    value: str
    quoted: bool

    @property
    def number(self) -> float | None:
        """The value as a number; a percentage is a share."""
        if self.quoted or not _NUMBER.fullmatch(self.value):
            return None
        return float(self.value[:-1]) / 100 if self.value.endswith("%") else float(self.value)


def filter_of(listing: Listing, text: str) -> Keeps:
    """Return the filter that a text describes.

    Raises:
        FilterError: it compares something that is no column, or cannot be compared.
    """
    wanted = text.strip()
    if re.fullmatch(_QUOTED, wanted):
        return _containing(wanted[1:-1])
    if not _signs(wanted):
        return _containing(wanted)
    tests = [_test(listing, _condition(part)) for part in _parts(wanted)]
    return lambda line: all(test(line) for test in tests)


def _containing(wanted: str) -> Keeps:
    sought = wanted.casefold()
    return lambda line: sought in line.haystack


def _signs(text: str) -> list[re.Match[str]]:
    """Return the comparisons in a text, outside quotes."""
    return [found for found in _SIGN.finditer(text) if found[2]]


def _parts(text: str) -> list[str]:
    """Split a text at each ``and`` outside quotes."""
    parts, start = [], 0
    for found in _AND.finditer(text):
        if found[2]:
            parts.append(text[start : found.start()])
            start = found.end()
    return [*parts, text[start:]]


def _condition(part: str) -> _Condition:
    signs = _signs(part)
    if not part.strip():
        raise FilterError("write a condition after `and`")
    if not signs:
        raise FilterError(f"`{part.strip()}` compares nothing; write a column and a value, such as drop > .2")
    if len(signs) > 1:
        raise FilterError("write one comparison, and join several with `and`; a text with such signs stands in quotes")
    sign = signs[0]
    column, value = _bare(part[: sign.start()]), part[sign.end() :].strip()
    if not column:
        raise FilterError(f"write a column before {sign[2]}")
    if not value:
        raise FilterError(f"write a value after {sign[2]}")
    if value[0] in "\"'" and (len(value) == 1 or value[-1] != value[0]):
        raise FilterError(f"close the quotes of {value}")
    return _Condition(column, _SAME.get(sign[2], sign[2]), _bare(value), value != _bare(value))


def _bare(text: str) -> str:
    text = text.strip()
    return text[1:-1] if re.fullmatch(_QUOTED, text) else text


def _test(listing: Listing, condition: _Condition) -> Keeps:
    """Return whether a line meets a condition. A line without a value meets none."""
    value_of, text_of = _column(listing, condition)
    number, sign = condition.number, condition.sign
    has_numbers = any(_is_number(value_of(line)) for line in listing.lines)
    if number is not None and has_numbers and sign not in {"~", "!~"}:
        return lambda line: _is_number(value := value_of(line)) and _holds(sign, value, number)
    if has_numbers and sign in _ORDERS:
        raise FilterError(f"{condition.column} has numbers, and {condition.value} is none")
    if number is not None and sign in _ORDERS and listing.lines:
        raise FilterError(f"{condition.column} has no numbers; compare it with = or ~, or with a text in quotes")
    sought = condition.value.casefold()

    def meets(line: Line) -> bool:
        text = text_of(line).casefold()
        if sign in {"~", "!~"}:
            return (sought in text) == (sign == "~")
        return _holds(sign, text, sought)

    return meets


def _holds(sign: str, value: Any, wanted: Any) -> bool:
    if sign in _ORDERS:
        return _ORDERS[sign](value, wanted)
    return bool(value == wanted) == (sign == "=")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _column(listing: Listing, condition: _Condition) -> tuple[Callable[[Line], Any], Callable[[Line], str]]:
    """Return how a column's value, and its text, is read of a line: by its title, or by its name in exported files."""
    name = condition.column.casefold()
    row = next((line.row for line in listing.lines), None)
    of_row = [field.name for field in fields(row)] if is_dataclass(row) else []
    if name in _NAMED_BY_PLAYER and condition.number is None:
        called = next((field for field in ("label", "labels") if field in of_row), None)
        if called is not None:
            return lambda line: None, lambda line: _text(getattr(line.row, called))
    titles = [column.title.casefold() for column in listing.columns]
    if name in titles:
        at = titles.index(name)
        column = listing.columns[at]
        return lambda line: line.keys[at], lambda line: shown_whole(column, line.row)
    exact = {field.casefold(): field for field in of_row}
    if name in exact:
        field = exact[name]
        return lambda line: getattr(line.row, field), lambda line: _text(getattr(line.row, field))
    if row is None and not titles:
        raise FilterError("the table has no rows, and so nothing to compare")
    raise FilterError(_no_column(condition.column, [*titles, *(one for one in exact if one not in titles)]))


def _no_column(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name.casefold(), known, n=1)
    listed = ", ".join(known[:_LISTED]) + (" …" if len(known) > _LISTED else "")
    hint = f"did you mean {close[0]}?" if close else f"there is {listed}."
    return f"no column {name}; {hint} In quotes a text is searched as it is"


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
