"""Keys that arrive together take effect in their order.

Textual gives a key to the widget with the focus, whose queue holds it, but runs the action of a priority key at once;
and an action that opens a dialog or moves the focus does so some messages later. Over a slow line several keys come in
one read: the second would act before the first. So each key waits until all that follows from the one before has
happened.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Final

from textual.app import App
from textual.events import Event, Key, Paste
from textual.message_pump import MessagePump

_ROUNDS: Final = 3
"""A key posts messages, these post others: a dialog opens, gets the focus, and fills in its fields."""

_LOOK_S: Final = 0.05
"""How often it is looked at whether a widget has been closed, which drops its messages."""

_LOOKS: Final = 60
"""So many looks a busy widget holds up the keys of one burst, all together. Looks are counted and not seconds: while
modules are loaded, or the machine is busy, no widget can do anything.
"""

_OPENS_S: Final = 10.0
"""For so long keys wait for a screen that opens. It takes none before it has its widgets."""

_SOON_S: Final = 0.005

Typed = Key | Paste


class KeysInOrder(App[None]):
    """An app in which a key, or a pasted text, waits until the one before has had all its effects."""

    def __init__(self) -> None:
        super().__init__()
        self._typed: deque[Typed] = deque()
        self._due: Typed | None = None
        self._settling: asyncio.Task[None] | None = None
        self._is_stuck = False

    @property
    def settled(self) -> bool:
        """Return whether all that was typed has had its effects."""
        return self._settling is None and self._due is None

    async def on_event(self, event: Event) -> None:
        """Handle an event. A key that comes too early is posted again in its turn."""
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        if event is not self._due and (self._opens or not self.settled):
            self._typed.append(event)
            if self.settled:
                self._settling = asyncio.create_task(self._settle())
            return
        self._due = None
        self._settling = asyncio.create_task(self._settle())
        await super().on_event(event)

    async def _settle(self) -> None:
        looks = 0 if self._is_stuck else _LOOKS
        try:
            for _ in range(_ROUNDS):
                await self._opened()
                for pump in self._pumps():
                    looks = await _drained(pump, looks)
        finally:
            self._settling = None
            self._is_stuck = looks == 0 and bool(self._typed)
            if self._typed:
                self._due = self._typed.popleft()
                self.post_message(self._due)

    @property
    def _opens(self) -> bool:
        """Whether the screen in front does not have its widgets yet."""
        return not all(screen.is_mounted for screen in self.screen_stack[-1:])

    async def _opened(self) -> None:
        """Wait until the screen in front has its widgets."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_OPENS_S):
                while self._opens:
                    await asyncio.sleep(_SOON_S)

    def _pumps(self) -> list[MessagePump]:
        """Return the app first, which has the key; then its widgets in the order in which messages go up."""
        screens = self.screen_stack[-1:]
        return [self, *(pump for screen in screens for pump in reversed(screen.walk_children(with_self=True))), self]


async def _drained(pump: MessagePump, looks: int) -> int:
    """Wait until a widget has handled the messages that it has now, or is closed.

    Args:
        pump: the widget.
        looks: for so many looks it is waited at most.

    Returns:
        how many of the looks are left.
    """
    done = asyncio.Event()
    if looks == 0 or not pump.is_running or not pump.call_later(done.set):
        return looks
    while looks and pump.is_running and not done.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), _LOOK_S)
            break
        looks -= 1
    return looks
