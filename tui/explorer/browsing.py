"""What a person has chosen on the screens, so that these are as they were when they come back."""

from __future__ import annotations

from typing import Annotated, Final

import pydantic

LONGEST: Final = 1000
"""The most characters of a text that is kept."""

LONGEST_WRITTEN: Final = 4000
"""The most characters of a query or a prompt that is kept."""

_Place = Annotated[int, pydantic.Field(ge=0, lt=10**9)]
_Text = Annotated[str, pydantic.Field(max_length=LONGEST)]
_Written = Annotated[str, pydantic.Field(max_length=LONGEST_WRITTEN)]


class Sorted(pydantic.BaseModel, frozen=True):
    """The title of the column that a table is sorted by, and whether the largest comes first."""

    column: _Text
    falling: bool


class Cursor(pydantic.BaseModel, frozen=True):
    """The row and column of a table's cursor."""

    row: _Place = 0
    column: _Place = 0


class Browsing(pydantic.BaseModel, frozen=True):
    """The table in front, the filter, and each table's order and cursor by its name.

    ``everything`` is whether the results browser shows every model and task.
    """

    table: _Text = ""
    filter: _Text = ""
    everything: bool = False
    sorted: dict[_Text, Sorted] = {}
    cursors: dict[_Text, Cursor] = {}


class Comparing(pydantic.BaseModel, frozen=True):
    """The compare screen: its views as tables, the keys of the two sides of each by its name, and what is zoomed."""

    browsing: Browsing = Browsing()
    sides: dict[_Text, tuple[_Text, _Text]] = {}
    zoom: Annotated[int, pydantic.Field(ge=0, lt=10)] = 0


class Saying(pydantic.BaseModel, frozen=True):
    """What is written on the screen that says something. ``seed`` and ``tokens`` are as they were typed."""

    prompt: _Written = ""
    seed: _Text = ""
    tokens: _Text | None = None
    chat: bool = True
