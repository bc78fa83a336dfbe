"""A text that scrolls: what is found in it, how one goes on, and what is copied."""

from __future__ import annotations

import pytest
from rich.console import Group, RenderableType
from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Input

from tests.support.screen_host import drawn, hosted, settled
from tests.tui.explorer.test_bursts import burst
from tui.explorer.screens.base import ExplorerScreen
from tui.explorer.screens.find_text import FindDialog
from tui.explorer.widgets.text_pane import Part, TextPane, places

LONG = Text("\n".join(f"line {number} [red]of[/] the {'FFN' if number % 10 == 7 else 'text'}" for number in range(60)))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", []),
        ("  ", []),
        ("one", [[Part(0, 0, 3)], [Part(2, 0, 3)]]),
        ("ONE  two", [[Part(0, 0, 7)], [Part(2, 0, 4), Part(3, 0, 3)]]),
        ("[x]", [[Part(1, 2, 5)]]),
        ("nothing", []),
    ],
)
def test_words_are_found_also_over_the_end_of_a_line(wanted: str, found: list[list[Part]]) -> None:
    lines = ["One two", "a [x]", "one ", "two"]
    assert [list(place) for place in places(lines, wanted)] == found


class Page(ExplorerScreen):
    """A pane as the only thing on a screen."""

    content: RenderableType = LONG

    def body(self) -> ComposeResult:
        yield TextPane()

    def on_mount(self) -> None:
        self.query_one(TextPane).draw(self.content)


async def test_what_is_typed_is_marked_and_n_goes_on_also_in_one_burst() -> None:
    async with hosted(Page, (60, 20)) as pilot:
        pane = pilot.app.screen.query_one(TextPane)
        await burst(pilot, "=/ffn", "enter", "n")
        assert pane.found == (2, 6)
        assert "line 17 [red]of[/] the FFN" in drawn(pilot)
        await settled(pilot, "N", "N")
        assert pane.found == (6, 6), "before the first is the last"
        assert "line 57" in drawn(pilot)
        await settled(pilot, "n")
        assert pane.found == (1, 6)
        strip = pane.render_line(7 - pane.scroll_offset.y)
        assert [segment.text for segment in strip if segment.style and segment.style.reverse] == ["FFN"]
        await settled(pilot, "slash", "escape")
        assert pane.found == (0, 0)


async def test_the_line_says_how_many_there_are_and_arrows_go_on() -> None:
    async with hosted(Page, (80, 20)) as pilot:
        await burst(pilot, "=/of")
        assert isinstance(pilot.app.screen, FindDialog)
        assert "1 of 60" in drawn(pilot)
        await settled(pilot, "down", "down", "up")
        assert "2 of 60" in drawn(pilot)
        pilot.app.screen.query_one(Input).value = "nowhere"
        await settled(pilot)
        assert "it is not there" in drawn(pilot)


async def test_what_was_found_stays_marked_where_the_text_changes_or_is_broken_anew() -> None:
    async with hosted(Page, (60, 20)) as pilot:
        pane = pilot.app.screen.query_one(TextPane)
        await burst(pilot, "=/ffn", "enter")
        pane.draw(Text("no, an FFN here\nFFN"))
        await settled(pilot)
        assert pane.found == (1, 2)
        await pilot.resize_terminal(9, 20)
        await settled(pilot)
        assert pane.found == (1, 2)
        pane.draw(Text("nothing"))
        await settled(pilot)
        assert pane.found == (0, 0)


async def test_a_text_is_copied_as_it_is_and_not_as_it_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)
    async with hosted(Page, (20, 20)) as pilot:
        await settled(pilot, "y")
        assert pilot.app.clipboard == LONG.plain
        pilot.app.screen.query_one(TextPane).draw(Group(Text("one"), Text("two")))
        await settled(pilot, "y")
        assert pilot.app.clipboard == "one\ntwo"


async def test_it_follows_the_end_only_where_that_is_in_sight() -> None:
    async with hosted(Page, (60, 20)) as pilot:
        pane = pilot.app.screen.query_one(TextPane)
        await settled(pilot, "G")
        pane.draw(Text(f"{LONG.plain}\nnewest"), follow=True)
        await settled(pilot)
        assert "newest" in drawn(pilot)
        await settled(pilot, "k")
        pane.draw(Text(f"{LONG.plain}\nnewest\nstill newer"), follow=True)
        await settled(pilot)
        assert "still newer" not in drawn(pilot)
        await settled(pilot, "g")
        assert "line 0" in drawn(pilot)
