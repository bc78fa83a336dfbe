"""Ticks: what is chosen is seen without colour."""

from __future__ import annotations

from textual.widgets.selection_list import Selection

from tests.support.mounted_widget import Mounted, mounted
from tui.explorer.widgets.ticks import Tick, TickList


def test_a_list_shows_what_is_ticked_also_after_scrolling() -> None:
    names = [f"task {number}" for number in range(12)]
    widget = TickList(*(Selection(name, name, name in {"task 1", "task 9"}) for name in names))

    async def flow(app: Mounted) -> None:
        widget.focus()
        await app.press("space")
        lines = [line.strip(" │▁▔▊▎") for line in app.text.splitlines()]
        assert [line for line in lines if line.startswith("[x]")] == ["[x] task 0", "[x] task 1"]
        assert "[ ] task 2" in lines
        await app.press("end", "space")
        assert "[x] task 9" in app.text
        assert "[x] task 11" in app.text
        assert "[ ] task 10" in app.text

    mounted(widget, flow, height=8)


def test_a_box_shows_whether_it_is_ticked() -> None:
    widget = Tick("only this", True)

    async def flow(app: Mounted) -> None:
        assert "[x] only this" in app.text
        widget.focus()
        await app.press("space")
        assert "[ ] only this" in app.text

    mounted(widget, flow)
