"""Check that a field holds the same kind of value in every row, because a column of a data set has one type.

Readers that guess the type instead turn text into dates, or letters into choices. Light to import.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.errors import CornerstoneError
from core.tasks.json_lines import ITEM, field_name

_MOST_FIELDS = 1000
_LARGEST_EXACT = 2**53
"""Whole numbers up to this one are exact as floating-point numbers."""

_Path = tuple[str, ...]

_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),
    (int, "a number"),
    (float, "a number"),
    (str, "text"),
    (list, "a list"),
    (dict, "an object"),
)


class RowKinds:
    """The kinds of value of each field so far. Numbers are one kind, and null fits every kind."""

    def __init__(self) -> None:
        self._kinds: dict[_Path, tuple[str, int]] = {}
        self._fractions: set[_Path] = set()
        self._large: set[_Path] = set()

    def add(self, row: Mapping[str, Any], line: int, where: str) -> None:
        """Check a row against those before it.

        Args:
            row: the row.
            line: its line.
            where: the file and the line, for messages.

        Raises:
            CornerstoneError: a field holds another kind of value than in a row before, or there are too many fields.
        """
        for name, value in row.items():
            self._add(value, (name,), line, where)

    def _add(self, value: Any, path: _Path, line: int, where: str) -> None:
        if value is None:
            return
        kind = next(name for type_, name in _KINDS if isinstance(value, type_))
        known, first = self._kinds.setdefault(path, (kind, line))
        if known != kind:
            part = "a part of " if ITEM in path else ""
            there = "before that" if first == line else f"in line {first}"
            raise CornerstoneError(
                f"{where}: {part}the field {field_name(path)} is {kind} here and {known} {there}; make them alike"
            )
        if len(self._kinds) > _MOST_FIELDS:
            raise CornerstoneError(f"{where}: more than {_MOST_FIELDS} different fields")
        if isinstance(value, int | float):
            self._add_number(value, path, where)
        elif isinstance(value, dict):
            for name, item in value.items():
                self._add(item, (*path, name), line, where)
        elif isinstance(value, list):
            for item in value:
                self._add(item, (*path, ITEM), line, where)

    def _add_number(self, value: float, path: _Path, where: str) -> None:
        """Refuse a field with fractions in it and with a whole number that would be rounded beside them."""
        if isinstance(value, float):
            self._fractions.add(path)
        elif abs(value) > _LARGEST_EXACT:
            self._large.add(path)
        if path in self._fractions and path in self._large:
            raise CornerstoneError(
                f"{where}: the field {field_name(path)} has fractions and numbers above 2^53, which would be rounded; "
                "write them as text"
            )
