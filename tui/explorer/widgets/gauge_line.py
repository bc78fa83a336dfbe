"""A line of gauges, measured once a second in a thread while it is seen, and drawn only when it changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from textual.widgets import Static

from core.machine.gauges import GaugeMeter, Gauges
from tui.explorer.gauge_text import gauge_text

_EVERY_S = 1.0


class GaugeLine(Static):
    """Shows what the evaluator takes.

    Args:
        pid: returns the evaluator's process; None while there is none.
    """

    DEFAULT_CSS = """
    GaugeLine { height: auto; max-height: 3; padding: 0 1; color: $text-muted; }
    """

    def __init__(self, pid: Callable[[], int | None]) -> None:
        super().__init__(markup=False)
        self._pid = pid
        self._meter: GaugeMeter | None = None
        self._said = ""

    def on_mount(self) -> None:
        self._look()
        self.set_interval(_EVERY_S, self._look)

    def _look(self) -> None:
        if self.screen.is_current:
            self.run_worker(self._measure(), group="gauges", exclusive=True)

    async def _measure(self) -> None:
        text = gauge_text(await asyncio.to_thread(self._measured, self._pid()))
        if text != self._said:
            self._said = text
            self.update(text)

    def _measured(self, pid: int | None) -> Gauges | None:
        if pid is None:
            self._meter = None
        elif self._meter is None or self._meter.pid != pid:
            self._meter = None
            with suppress(ProcessLookupError):
                self._meter = GaugeMeter(pid)
        return None if self._meter is None else self._meter.measure()
