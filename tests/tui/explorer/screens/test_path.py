"""The dialog of a removal path: what is wrong is said in the words of the form, and what is typed is searched."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from tests.support.screen_host import drawn, hosted, settled, squashed
from tests.tui.explorer.screens.test_run import opened
from tests.tui.explorer.test_bursts import burst
from tui.explorer.screens.path import PathDialog

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("steps", "0", "steps: should be a whole number of 1 or more, not '0'"),
        ("steps", "9" * 5000, "steps: should be at most 999999999, not"),
        ("steps", "\u0663", "steps: should be a whole number of 1 or more, not"),
        ("limit", "0", "documents a task: should be a whole number of documents"),
    ],
)
async def test_what_is_wrong_with_a_path_is_said_in_the_words_of_the_form(field: str, text: str, said: str) -> None:
    async with hosted(lambda: PathDialog(opened(limit=8))) as pilot:
        pilot.app.screen.query_one(f"#{field}", Input).value = text
        await settled(pilot, "ctrl+s")
        assert isinstance(pilot.app.screen, PathDialog)
        assert squashed(said) in squashed(drawn(pilot))


async def test_a_path_has_the_number_of_steps_that_was_typed() -> None:
    async with hosted(lambda: PathDialog(opened(limit=8))) as pilot:
        await burst(pilot, "ctrl+a", "ctrl+k", "0", "ctrl+s")
        assert isinstance(pilot.app.screen, PathDialog)
        pilot.app.screen.query_one("#steps", Input).value = "3"
        await settled(pilot)
        assert "3 steps of" in drawn(pilot)
        await burst(pilot, "ctrl+s")
        config, request = pilot.app.results[0]  # type: ignore[attr-defined]
    assert (config.limit, request.steps, request.held_out) == (8, 3, True)
