"""The user's own keys: read, checked, and obeyed by the explorer."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from core.config.run_config import RunConfig
from core.errors import CornerstoneError
from tui.explorer import keymap
from tui.explorer.app import Explorer
from tui.explorer.command_palette import ActionCommands
from tui.explorer.screens.help import HelpScreen
from tui.explorer.screens.jobs import JobsScreen
from tui.explorer.screens.run import RunDialog
from tui.explorer.session import Session


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = keymap.keymap_path()
    path.parent.mkdir()
    return path


def test_without_a_file_nothing_is_changed(file: Path) -> None:
    assert keymap.read_keymap() == {}
    file.write_text("")
    assert keymap.read_keymap() == {}


def test_what_is_listed_can_be_read_back(file: Path) -> None:
    file.write_text('explore.run: "f2, ctrl+g"\n')
    text = "\n".join(keymap.template())
    file.write_text(text)
    assert keymap.read_keymap() == yaml.safe_load(text) == keymap.default_keys() | {"explore.run": "f2,ctrl+g"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("explore.runn: f2", "did you mean explore.run?"),
        ("zzz: f2", "`cornerstone keys` lists them"),
        ("explore.run: [f2]", "wants a key"),
        ("explore.run: 'f2,'", "wants a key"),
        ("explore.run: m", "m cannot be both explore.run and explore.choose"),
        ("results.sort: q", "q cannot be both app.quit and results.sort"),
        ("- f2", "expected lines"),
        ("a: b: c", "cannot be read as YAML"),
    ],
)
def test_what_is_wrong_is_named_with_its_file(file: Path, text: str, reason: str) -> None:
    file.write_text(text)
    with pytest.raises(CornerstoneError) as error:
        keymap.read_keymap()
    assert str(file) in str(error.value)
    assert reason in str(error.value)


OPEN = Session(config=RunConfig.model_validate({"tasks": "agreement"}))


class Quiet(Explorer):
    def listen(self) -> None:  # type: ignore[override]
        """No evaluator."""


async def test_the_explorer_obeys_them_and_says_so(tmp_path: Path) -> None:
    app = Quiet(tmp_path / "s", OPEN, keymap={"explore.jobs": "f2"})
    async with app.run_test() as pilot:
        await pilot.press("j")
        assert not isinstance(app.screen, JobsScreen)
        titles = [str(hit.display) async for hit in ActionCommands(app.screen).discover()]
        assert "jobs (f2)" in titles
        await pilot.press("f2")
        assert isinstance(app.screen, JobsScreen)


async def test_dialogs_are_explained_too(tmp_path: Path) -> None:
    from tests.support import example_state as example

    app = Quiet(tmp_path / "s", OPEN)
    async with app.run_test() as pilot:
        app.state = example.state()
        await pilot.press("r")
        await pilot.pause()
        assert isinstance(app.screen, RunDialog)
        await pilot.press("f1")
        await pilot.pause()
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("escape", "escape")
        assert app.screen_stack[-1] is app.screen_stack[1]
