"""Hold back what only updates a picture, so that a sweep is drawn a few times a second. Answers are shown at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from core.evaluator.protocol import Charts, Event, Jobs, Narration, Said


class Pace:
    """Passes events on in their order: pictures a few times a second at most, anything else at once."""

    def __init__(self, take: Callable[[Event], None]) -> None:
        """Begin without events; ``take`` takes each."""
        self._take = take
        self._held: dict[object, Event] = {}
        self._passed_at = 0.0
        self._due: asyncio.TimerHandle | None = None

    def put(self, event: Event, redraws: float) -> None:
        """Pass an event on, now or a little later. Of the pictures of one thing only the latest is passed on.

        Args:
            event: the event.
            redraws: how often a second pictures are passed on at most.
        """
        if not isinstance(event, Charts | Jobs | Narration | Said) or (isinstance(event, Said) and event.ended):
            self.flush()
            self._take(event)
            return
        key = (type(event), _thing(event))
        self._held.pop(key, None)
        self._held[key] = event
        left = self._passed_at + 1 / redraws - time.monotonic()
        if left <= 0:
            self.flush()
        elif self._due is None:
            self._due = asyncio.get_running_loop().call_later(left, self.flush)

    def flush(self) -> None:
        """Pass on what is held back."""
        if self._due is not None:
            self._due.cancel()
            self._due = None
        if self._held:
            held, self._held = self._held, {}
            self._passed_at = time.monotonic()
            for event in held.values():
                self._take(event)


def _thing(event: Charts | Jobs | Narration | Said) -> str:
    """Return a name for the thing that an event pictures."""
    return event.task if isinstance(event, Charts) else event.ident if isinstance(event, Said) else ""
