"""A view: rows and what is drawn beside them, before anything is on the screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.coalitions.players import Removed
from core.config.run_config import RunConfig
from core.estimators.setting import Number
from tui.explorer.listing import Listing


@dataclass(frozen=True, slots=True)
class Side:
    """One of the things that are compared: a model on a task, or a finding. ``key`` identifies it."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a view is read for.

    Attributes:
        store: the file of the store.
        value: the value to read; None for each task's own.
        settings: the settings of estimators by name.
        model_id: the model that the explorer shows, if any.
        task_id: the task that it shows, if any.
        one: the key of the side that was chosen first, by the x key; "" for the view's own choice.
        other: likewise of the second, by the y key.
    """

    store: Path
    value: str | None = None
    settings: MappingProxyType[str, Number] = field(default_factory=lambda: MappingProxyType({}))
    model_id: str | None = None
    task_id: str | None = None
    one: str = ""
    other: str = ""


@dataclass(frozen=True, slots=True)
class Lead:
    """Where a row leads.

    It leads to the documents of the coalition ``removed``, beside those of the model ``beside`` if there is one. Where
    ``removed`` is None it leads to a ``table`` of the results browser.
    """

    model_id: str
    task_id: str | None
    removed: Removed | None = None
    beside: str | None = None
    table: str = ""


@dataclass(frozen=True, slots=True)
class Export:
    """The rows that are written to a file: their dataclass, and the name of the file."""

    name: str
    row: type
    rows: tuple[Any, ...]


Draw = Callable[[Any, int, int, int], str]
"""Draws text for the row and column under the cursor, in so many columns and lines; the row may be None."""


def _nothing(_row: Any, _column: int, _width: int, _height: int) -> str:
    return ""


def _nowhere(_row: Any, _column: int) -> None:
    return None


@dataclass(frozen=True, slots=True)
class View:
    """A view that was read.

    Attributes:
        export: the rows to write to a file; None if there is nothing to write.
        subject: the line above the rows.
        listing: the rows; None if the view has text alone.
        draw: draws what stands beside the rows; without rows it is the view's own text.
        more: draws a second text beside the first, where there is room for both.
        lead: returns where the row and column under the cursor lead.
        figures: returns the model and task whose figures are drawn for the row and column, instead of ``draw``.
        notes: sentences on gaps and doubts.
        fill: a run that fills a gap, which the evaluator can do.
        ones: the sides that the x key chooses from; ``others`` those of the y key.
        nothing: what is said if there are no rows.
    """

    export: Export | None = None
    subject: str = ""
    listing: Listing | None = None
    draw: Draw = _nothing
    more: Draw | None = None
    lead: Callable[[Any, int], Lead | None] = _nowhere
    figures: Callable[[Any, int], tuple[str, str] | None] = _nowhere
    notes: tuple[str, ...] = ()
    fill: RunConfig | None = None
    ones: tuple[Side, ...] = ()
    others: tuple[Side, ...] = ()
    nothing: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return self.listing is not None and not self.listing.lines


def chosen(sides: Sequence[Side], key: str, *preferred: str | None) -> Side | None:
    """Return the side with a key, else the first whose key begins with one that is preferred, else the first."""
    for wanted in (key, *preferred):
        if wanted:
            for side in sides:
                if side.key.startswith(wanted):
                    return side
    return sides[0] if sides else None


def first_fill(gaps: Sequence[Any]) -> RunConfig | None:
    """Return the run of the first gap that a run of a named model and task fills."""
    return next((gap.fill for gap in gaps if isinstance(gap.fill, RunConfig)), None)
