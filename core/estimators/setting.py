"""Settings: the numbers that an estimator takes, each declared once, on the estimator's class.

    max_removed: Annotated[int, Setting(help="Longest window", label="longest window k", least=1, most=8)] = 4

It becomes an option of the command line, a key of a run's YAML file, and a field of the run dialog.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any, get_type_hints

from core.errors import CornerstoneError
from core.machine.plain_text import short_repr

Number = int | float


@dataclass(frozen=True, slots=True)
class Setting:
    """The meaning of a setting, and the values that it may take.

    Attributes:
        help: a sentence for a list of options, without a full stop and without the default.
        label: a few words for a field in a dialog.
        least: the smallest value allowed.
        most: the largest value allowed; None for no limit.
        multiple_of: a number that must divide the value; None for no such number.
        computable: where there is no largest value, one beyond which no computer comes to an end.
    """

    help: str
    label: str
    least: Number
    most: Number | None = None
    multiple_of: int | None = None
    computable: Number = 10**9


@dataclass(frozen=True, slots=True)
class NamedSetting:
    """A setting as a class declares it: its name, its type (int or float), its default and its meaning."""

    name: str
    kind: type[int] | type[float]
    default: Number
    about: Setting

    @property
    def option_help(self) -> str:
        """The sentence for a list of options, with the default."""
        return f"{self.about.help} (default {in_digits(self.default)})."

    def checked(self, value: object) -> Number:
        """Return ``value`` as a number of this setting's type.

        Raises:
            CornerstoneError: the value is no such number, or out of range.
        """
        number = _number(value, self.kind)
        about = self.about
        fits = number is not None and number >= about.least and (about.most is None or number <= about.most)
        if number is None or not fits or (about.multiple_of is not None and number % about.multiple_of):
            shown = value if number is None else number
            written = in_digits(shown) if isinstance(shown, float) else short_repr(shown)
            raise CornerstoneError(f"{self.name} must be {self._range}, not {written}")
        if self.kind is int and about.most is None and number > about.computable:
            raise CornerstoneError(f"{self.name} may be {about.computable} at most, not {short_repr(number)}")
        return number

    @property
    def _range(self) -> str:
        about = self.about
        what = "a whole number" if self.kind is int else "a number"
        if about.multiple_of == 2:
            what = "an even number"
        elif about.multiple_of is not None:
            what = f"a multiple of {about.multiple_of}"
        least = in_digits(about.least)
        limits = f"of {least} or more" if about.most is None else f"from {least} to {in_digits(about.most)}"
        return f"{what} {limits}"


def in_digits(number: Number) -> str:
    """Write a number so that reading it gives the same number, as a command line, a dialog or a report needs it."""
    if isinstance(number, int):
        return str(number)
    short = f"{number:g}"
    return short if float(short) == number else repr(number)


@cache
def settings_of(declaring: Any) -> tuple[NamedSetting, ...]:
    """List the settings that a dataclass declares, in the order of its fields."""
    hints = get_type_hints(declaring, include_extras=True)
    found = []
    for field in fields(declaring):
        about = next(
            (each for each in getattr(hints[field.name], "__metadata__", ()) if isinstance(each, Setting)), None
        )
        if about is None or field.default is MISSING:
            raise TypeError(f"{declaring.__name__}.{field.name} needs a Setting in its annotation, and a default")
        if hints[field.name].__origin__ not in {int, float}:
            raise TypeError(f"{declaring.__name__}.{field.name} must be an int or a float")
        found.append(NamedSetting(field.name, hints[field.name].__origin__, field.default, about))
    return tuple(found)


def given(settings: tuple[NamedSetting, ...], values: Mapping[str, Number]) -> dict[str, Number]:
    """Return those of ``values`` that ``settings`` name."""
    return {setting.name: values[setting.name] for setting in settings if setting.name in values}


def _number(value: object, kind: type[int] | type[float]) -> Number | None:
    """Read a number as a YAML file, a dialog or a caller writes it; None if it is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
        if not math.isfinite(number):
            return None
        return number if kind is float else int(value) if number == int(number) else None
    except (ValueError, OverflowError):
        return None
