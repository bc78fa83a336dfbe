"""What the explorer's own screens share: the app by its type."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.screen import Screen

if TYPE_CHECKING:
    from tui.explorer.app import Explorer


class ExplorerScreen(Screen[None]):
    """A screen of the explorer, which holds the state and the line to the evaluator."""

    @property
    def explorer(self) -> Explorer:
        return cast("Explorer", self.app)
