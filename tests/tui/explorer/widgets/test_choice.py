from __future__ import annotations

import pytest

from tests.support.mounted_widget import HOSTILE, Mounted, mounted, text_of
from tui.drawing.plain import plain
from tui.explorer.widgets.choice import Choice


@pytest.mark.parametrize(
    ("keys", "chosen"),
    [
        (("right",), 1),
        (("right", "right"), 2),
        (("right", "space", "right"), 0),
        (("left",), 2),
        (("left", "left", "right"), 2),
    ],
)
def test_arrows_choose_at_once_however_fast_they_come(keys: tuple[str, ...], chosen: int) -> None:
    choice = Choice(("one", "two", "three"))

    async def flow(app: Mounted) -> None:
        choice.focus()
        assert app.pilot is not None
        await app.pilot.pause()
        for key in keys:
            app.simulate_key(key)
        await app.pilot.pause()
        assert choice.chosen == chosen
        assert app.text.count("●") == 1
        assert f"● {('one', 'two', 'three')[chosen]}" in app.text

    mounted(choice, flow)


def test_a_click_chooses() -> None:
    choice = Choice(("one", "two", "three"))

    async def flow(app: Mounted) -> None:
        assert app.pilot is not None
        for column, chosen in ((7, 1), (0, 0), (16, 2), (40, 2)):
            await app.pilot.click(Choice, offset=(column, 0))
            assert choice.chosen == chosen

    mounted(choice, flow)


def test_what_is_chosen_is_in_sight_where_not_all_have_room() -> None:
    options = tuple(f"option {number}" for number in range(9))
    assert "● option 8" in text_of(Choice(options, 8), _nothing, width=30)
    first = text_of(Choice(options), _nothing, width=30)
    assert "● option 0" in first
    assert "option 8" not in first


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_text(name: str) -> None:
    assert plain(name).strip() in text_of(Choice(("acc", name)), _nothing)


def _nothing() -> None:
    """Change nothing before the widget is drawn."""
