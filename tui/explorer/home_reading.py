"""Read from the store what a large home screen shows besides the charts. Works in a thread, as it opens the store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from core.coalitions.players import Removed
from core.errors import CornerstoneError
from tui.explorer.scope import Scope

if TYPE_CHECKING:
    from store.reading.documents import Documents
    from store.rows import InteractionRow

_PATIENCE_S: Final = 1.0
_SHORTEST_WINDOW: Final = 2
_DOCUMENTS: Final = 60
"""More lines than a terminal gives to documents."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What home wants to show: the scope of its charts, and the removed set with its number of documents."""

    scope: Scope
    removed: Removed
    documents: int
    shares: int
    """The number of documents that the Shapley shares are of; the map has no more."""


@dataclass(frozen=True, slots=True)
class HomeRows:
    """What was read; None, or nothing, where the store does not have it."""

    wanted: Wanted
    documents: Documents | None
    interactions: tuple[InteractionRow, ...]

    @property
    def complete(self) -> bool:
        """Whether the store had all that was wanted; what was evaluated just now may not be written yet."""
        read = 0 if self.documents is None else self.documents.total
        return read >= self.wanted.documents and bool(self.interactions or not self.wanted.shares)


def read_home(store: Path, wanted: Wanted) -> HomeRows:
    """Read what is wanted, as far as it is there and the store is free."""
    return HomeRows(wanted, _documents(store, wanted), _interactions(store, wanted) if wanted.shares else ())


def _documents(store: Path, wanted: Wanted) -> Documents | None:
    from store.results import Page, Results

    results, selection, value = Results(store, _PATIENCE_S), wanted.scope.asked.selection, wanted.scope.value
    try:
        found = results.documents(selection, wanted.removed, value, Page(bool(wanted.removed), _DOCUMENTS))
        if not wanted.removed or len(found.rows) >= _DOCUMENTS:
            return found
        every = results.documents(selection, wanted.removed, value, Page(False, _DOCUMENTS))
    except CornerstoneError:
        return None
    same = [row for row in every.rows if not row.changed]
    return replace(every, rows=(*found.rows, *same)[:_DOCUMENTS])


def _interactions(store: Path, wanted: Wanted) -> tuple[InteractionRow, ...]:
    from store.results import Results

    asked = wanted.scope.asked
    try:
        found = Results(store, _PATIENCE_S).interactions(
            asked.selection, asked.value, max(asked.max_removed, _SHORTEST_WINDOW)
        )
    except CornerstoneError:
        return ()
    return tuple(found.rows)
