"""Ticks: what is chosen is seen without colour."""

from __future__ import annotations

from tests.support.mounted_widget import Mounted, mounted
from tui.explorer.widgets.ticks import Tick


def test_a_box_shows_whether_it_is_ticked() -> None:
    widget = Tick("only this", True)

    async def flow(app: Mounted) -> None:
        assert "[x] only this" in app.text
        widget.focus()
        await app.press("space")
        assert "[ ] only this" in app.text

    mounted(widget, flow)
