"""Errors of a dialog: each says, in the words of the form, what is wrong with one field."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, nan
from typing import Final, TypeVar

from core.coalitions.grouping import grouping_name
from core.errors import CornerstoneError
from core.machine.plain_text import short_repr

ValueT = TypeVar("ValueT")
WrittenT = TypeVar("WrittenT")

_MOST: Final = 10**9 - 1


class FieldError(CornerstoneError):
    """What is wrong with a field, whose id is ``field``."""

    def __init__(self, field: str, said: str) -> None:
        super().__init__(said)
        self.field = field


def checked(field: str, label: str, written: WrittenT, check: Callable[[WrittenT], ValueT]) -> ValueT:
    """Return what a field's text stands for.

    Args:
        field: the id of the field.
        label: its label, which begins the sentence.
        written: its text.
        check: returns what the text stands for, or raises what is wrong with it.

    Raises:
        FieldError: the text stands for nothing.
    """
    try:
        return check(written)
    except (CornerstoneError, ValueError) as error:
        _before, name, said = str(error).rpartition(" must be ")
        raise FieldError(field, f"{label}: {f'should be {said}' if name else error}") from error


def whole_from_1(text: str) -> int:
    """Return the whole number of 1 or more that a text writes.

    Raises:
        ValueError: it is no such number.
    """
    if not text.isascii() or not text.strip("0").isdecimal():
        raise ValueError(f"should be a whole number of 1 or more, not {short_repr(text)}")
    if len(text) > len(str(_MOST)):  # Python reads no number of thousands of digits
        raise ValueError(f"should be at most {_MOST}, not {short_repr(text)}")
    return int(text)


def a_number(text: str) -> float:
    """Return the finite number that a text writes.

    Raises:
        ValueError: it is no such number.
    """
    try:
        number = float(text)
    except ValueError:
        number = nan
    if not isfinite(number):
        raise ValueError(f"should be a number, such as .05, not {short_repr(text)}")
    return number


def layers_a_block(text: str) -> int:
    """Return how many layers a block has.

    Raises:
        ValueError: it is no such number.
    """
    layers = whole_from_1(text)
    try:
        grouping_name(f"blocks:{layers}")
    except CornerstoneError as error:
        raise ValueError(str(error)) from error
    return layers
