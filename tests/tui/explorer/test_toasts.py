"""Messages that disappear by themselves hide nothing that one needs meanwhile."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.screen import ModalScreen
from textual.widgets import Button, Input, OptionList
from textual.widgets._toast import Toast

from tests.support.screen_host import drawn, settled
from tests.tui.explorer.test_snapshots import SCREENS, Still

DIALOGS = ("choose", "run", "sets", "go to", "confirm", "silence", "settings", "export", "path")
SHORT = "job 3 has looked whether its top is decided (j shows it)"
LONG = "job 2 failed: the folder /data/results/of/a/long/study may not be written, as its disk is full (j shows it)"


@pytest.mark.parametrize("text", [SHORT, LONG])
@pytest.mark.parametrize("name", DIALOGS)
async def test_no_message_lies_over_the_fields_and_buttons_of_a_dialog(name: str, text: str, tmp_path: Path) -> None:
    shown = SCREENS[name]
    app = Still(tmp_path / "s.duckdb", shown.state)
    async with app.run_test(size=(80, 24), notifications=True) as pilot:
        await settled(pilot)  # the state that is shown comes after the first paint
        await settled(pilot, *(key for key in shown.keys if not key.startswith("=")))
        assert isinstance(app.screen, ModalScreen)
        app.say(text)
        await settled(pilot)
        (toast,) = app.screen.query(Toast)
        assert " ".join(text.split()[:5]) in drawn(pilot)
        needed = [one for kind in (Button, Input, OptionList) for one in app.screen.query(kind) if one.region]
        assert needed
        assert not [one for one in needed if toast.region.overlaps(one.region)], drawn(pilot)
