"""The line of keys: what it leaves out where it is narrow, and what a click does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import example_state as example
from tests.support.screen_host import drawn, settled
from tests.tui.explorer.test_snapshots import Still
from tui.explorer.actions import EXPLORE, RANKS
from tui.explorer.screens.help import HelpScreen
from tui.explorer.screens.jobs import JobsScreen
from tui.explorer.widgets.key_footer import HELP, Hint, KeyFooter, fitting

HINTS = [
    Hint("f5", "f5", "reload", "explore.reload"),
    Hint("space", "space", "toggle", "explore.toggle_layer"),
    Hint("question_mark", "?", "help", HELP),
    Hint("j", "j", "jobs", "explore.jobs"),
    Hint("r", "r", "run", "explore.run"),
]


@pytest.mark.parametrize(
    ("width", "words"),
    [
        (100, ["reload", "toggle", "jobs", "run", "help"]),
        (32, ["toggle", "jobs", "run", "help"]),
        (31, ["toggle", "run", "help"]),
        (25, ["toggle", "run", "help"]),
        (24, ["toggle", "help"]),
        (18, ["run", "help"]),
        (6, ["help"]),
    ],
)
def test_the_least_needed_go_first_and_help_stays_last(width: int, words: list[str]) -> None:
    assert [RANKS[hint.ident] for hint in HINTS] == [3, 1, 1, 2, 1]
    kept = fitting(HINTS, width)
    assert [hint.word for hint in kept] == words
    assert sum(hint.width + 1 for hint in kept) - 1 <= width


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
async def test_home_shows_whole_keys_at_every_width(tmp_path: Path, width: int) -> None:
    async with Still(tmp_path / "s.duckdb", example.state()).run_test(size=(width, 30)) as pilot:
        await settled(pilot)
        line = drawn(pilot).splitlines()[-1]
        known = {f"{pilot.app.screen.query_one(KeyFooter).app.get_key_display(binding)} {binding.description}"
                 for _, binding, _, _ in pilot.app.screen.active_bindings.values() if binding.id in RANKS}  # fmt: skip
        for text in known:
            line_without = line.replace(text, "")
            line = line_without if text in line and not text.startswith("?") else line
        assert line.strip() == "? help", "nothing is cut"
        await pilot.resize_terminal(120, 30)
        await settled(pilot)
        line = drawn(pilot).splitlines()[-1]
        for action in EXPLORE:
            assert action.rank > 2 or f" {action.label}" in line


async def test_compare_is_seen_on_home_also_at_60_columns(tmp_path: Path) -> None:
    async with Still(tmp_path / "s.duckdb", example.state()).run_test(size=(60, 20)) as pilot:
        await settled(pilot)
        assert "v compare" in drawn(pilot).splitlines()[-1]


async def test_a_click_on_a_key_does_what_the_key_does(tmp_path: Path) -> None:
    async with Still(tmp_path / "s.duckdb", example.state()).run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        line = drawn(pilot).splitlines()[-1]
        await pilot.click(KeyFooter, offset=(line.index("j jobs") + 3, 0))
        await settled(pilot)
        assert isinstance(pilot.app.screen, JobsScreen)
        line = drawn(pilot).splitlines()[-1]
        await pilot.hover(KeyFooter, offset=(line.index("? help"), 0))
        assert "Explain the keys" in str(pilot.app.screen.query_one(KeyFooter).tooltip)
        await pilot.click(KeyFooter, offset=(line.index("? help"), 0))
        await settled(pilot)
        assert isinstance(pilot.app.screen, HelpScreen)


async def test_the_users_own_key_is_shown(tmp_path: Path) -> None:
    from tui.settings import Settings

    app = Still(tmp_path / "s.duckdb", example.state())
    app.settings = Settings(keys={"explore.jobs": "f2"})
    async with app.run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        assert "f2 jobs" in drawn(pilot).splitlines()[-1]
