"""The stored results of what an explorer looks at. They are read in a thread, whose modules take a while to load."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from core.config.limit import Limit
from core.config.run_config import RunConfig
from core.errors import CornerstoneError
from core.evaluator.protocol import Scored, Toggle
from tui.explorer.session import Session
from tui.explorer.state import State

if TYPE_CHECKING:
    from tui.explorer.stored_view import StoredView


class StoredResults:
    """Reads results from the store, and keeps what it read last."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._view: StoredView | None = None
        self.fault: CornerstoneError | None = None
        """Why nothing could be read the last time; None if it could, also where nothing was there."""

    @property
    def known(self) -> bool:
        """Whether it had anything."""
        return self._view is not None

    async def read(
        self, state: State, session: Session, config: RunConfig | None, first: str | None = None
    ) -> StoredView | None:
        """Read what is shown, else the session's model; None if the store has nothing of it, or cannot be read.

        Args:
            state: what is shown.
            session: its model is read, and its limit on documents picked by hand holds.
            config: what is read where nothing is shown yet; None for what the latest run had open.
            first: the key of the only task to read; None reads all.
        """
        bench, alone = state.bench, state.connection == "lost"
        of = (config, session.model_id) if bench is None else (bench.config, bench.model_id)
        self._view, self.fault = None, None
        try:
            self._view = await asyncio.to_thread(_read_view, self._store, of, session.by_hand, first, alone=alone)
        except CornerstoneError as error:
            self.fault = error
        return self._view

    def score(self, toggle: Toggle) -> Scored | None:
        """Return the score of a coalition; None if nothing of it was there."""
        return None if self._view is None else self._view.score(toggle.task, toggle.removed)


def _read_view(
    store: Path, of: tuple[RunConfig | None, str], by_hand: Limit, first: str | None, *, alone: bool
) -> StoredView | None:
    from store.reading.opened import Wanted
    from tui.explorer.stored_view import read_view

    return read_view(store, Wanted(*of), by_hand, first, alone=alone)
