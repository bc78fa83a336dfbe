"""Keeps what a large home screen reads from the store up to date: soon after a change, and then only now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from textual import work
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget

from tui.explorer.home_reading import HomeRows, Wanted, read_home

_SOON_S: Final = 0.3
"""What was evaluated is written a moment later."""

_EVERY_S: Final = 5.0
_TRIES: Final = 4


class HomeFeed(Widget):
    """Reads in a thread; it shows nothing itself."""

    DEFAULT_CSS = "HomeFeed { display: none; }"

    @dataclass
    class Came(Message):
        """Rows were read."""

        rows: HomeRows

    def __init__(self, store: Callable[[], Path]) -> None:
        super().__init__()
        self._store = store
        self._wanted: Wanted | None = None
        self._tries = 0
        self._timer: Timer | None = None
        self._due = 0.0
        self._read_at = -_EVERY_S

    @property
    def waits(self) -> bool:
        """Whether something that is wanted was not looked for yet."""
        return self._timer is not None

    def want(self, wanted: Wanted) -> None:
        """Read what is wanted, if that has changed."""
        if wanted == self._wanted:
            return
        another = self._wanted is None or self._wanted.removed != wanted.removed or self._wanted.scope != wanted.scope
        self._wanted, self._tries = wanted, 0
        self._in(_SOON_S if another else max(self._read_at + _EVERY_S - time.monotonic(), _SOON_S))

    def _in(self, seconds: float) -> None:
        """Read after so many seconds, or sooner where that is due already."""
        due = time.monotonic() + seconds
        if self._timer is not None:
            if self._due <= due:
                return
            self._timer.stop()
        self._due, self._timer = due, self.set_timer(seconds, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._tries += 1
        self._read_at = time.monotonic()
        if self._wanted is not None:
            self._read(self._wanted)

    @work(thread=True, exclusive=True, group="home")
    def _read(self, wanted: Wanted) -> None:
        self.post_message(self.Came(read_home(self._store(), wanted)))

    def on_home_feed_came(self, message: Came) -> None:
        """Let newer rows take over, and look again for what was not written yet."""
        if message.rows.wanted != self._wanted:
            message.stop()
            self._in(_SOON_S)
        elif not message.rows.complete and self._tries < _TRIES:
            self._in(1.0)
