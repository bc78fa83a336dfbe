"""The end of the evaluator's log, which follows the file while it is seen."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rich.text import Text

from tui.explorer.log_tail import LogTail
from tui.explorer.widgets.text_pane import TextPane

_EVERY_S = 1.0


class LogPanel(TextPane):
    """Shows the last lines of a file; the newest is at the bottom.

    Args:
        path: the log. It may come into being later.
    """

    HELP = "What the evaluator has put out, the newest below."
    DEFAULT_CSS = """
    LogPanel { height: 1fr; border: round $primary; padding: 0 1; &:focus { border: heavy $accent; } }
    """

    def __init__(self, path: Path) -> None:
        super().__init__(id="log")
        self._tail = LogTail(path)
        self._is_reading = False
        self.border_title = "Evaluator's log"

    def on_show(self) -> None:
        self.look()

    def on_mount(self) -> None:
        self.set_interval(_EVERY_S, self.look)

    def look(self) -> None:
        """Show what the file has got since the last look."""
        if self.display and self.screen.is_current and not self._is_reading:
            self._is_reading = True  # a second look would find no change, and the first one has not shown it yet
            self.run_worker(self._read(), group="log")

    async def _read(self) -> None:
        try:
            text = await asyncio.to_thread(self._tail.changed)
        finally:
            self._is_reading = False
        if text is not None:
            self.draw(Text(text or "The evaluator has said nothing yet.", "dim"), follow=True)
