"""The base of the explorer's own screens."""

from __future__ import annotations

from typing import cast

from textual.screen import Screen

from tui.explorer.port import ExplorerPort


class ExplorerScreen(Screen[None]):
    """A screen that asks the explorer for its state, and through it the evaluator for work."""

    @property
    def explorer(self) -> ExplorerPort:
        """Return the app that opened this screen."""
        return cast("ExplorerPort", self.app)
