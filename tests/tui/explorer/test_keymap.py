"""The user's own keys: read, checked, and obeyed by the explorer."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from textual.command import Hit

from core.config.run_config import RunConfig
from core.errors import CornerstoneError
from tests.support.screen_host import drawn, settled, squashed
from tui.explorer import keymap
from tui.explorer.app import Explorer
from tui.explorer.command_palette import ActionCommands, PlaceCommands
from tui.explorer.screens.help import HelpScreen
from tui.explorer.screens.jobs import JobsScreen
from tui.explorer.screens.run import RunDialog
from tui.explorer.session import Session
from tui.explorer.widgets.layer_grid import LayerGrid
from tui.settings import Settings, read_settings, settings_path


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
    text = "\n".join(keymap.template(keymap.own_keys(read_settings())))
    file.unlink()
    settings_path().write_text(text)
    found = keymap.own_keys(read_settings())
    assert found == yaml.safe_load(text)["keys"] == keymap.default_keys() | {"explore.run": "f2,ctrl+g"}


def test_the_keys_of_the_settings_come_before_those_of_the_older_file(file: Path) -> None:
    file.write_text("explore.run: f2\n")
    assert keymap.own_keys(read_settings()) == {"explore.run": "f2"}
    settings_path().write_text("keys: {explore.jobs: f3}\n")
    assert keymap.own_keys(read_settings()) == {"explore.jobs": "f3"}
    settings_path().write_text("keys: {explore.jobs: m}\n")
    with pytest.raises(CornerstoneError, match="m cannot be both"):
        keymap.own_keys(read_settings())


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
    app = Quiet(tmp_path / "s", OPEN, settings=Settings(keys={"explore.jobs": "f2"}))
    async with app.run_test() as pilot:
        await pilot.press("j")
        assert not isinstance(app.screen, JobsScreen)
        titles = [str(hit.display) async for hit in ActionCommands(app.screen).discover()]
        assert "jobs (f2)" in titles
        await pilot.press("f2")
        assert isinstance(app.screen, JobsScreen)


async def test_the_palette_goes_to_layers_tasks_and_themes(tmp_path: Path) -> None:
    from tests.support import example_state as example

    app = Quiet(tmp_path / "s", OPEN)
    async with app.run_test() as pilot:
        app.state = example.state()
        await pilot.pause()

        async def choose(text: str) -> None:
            (hit, *_) = sorted([one async for one in PlaceCommands(app.screen).search(text)], reverse=True)
            assert isinstance(hit, Hit)
            hit.command()
            await pilot.pause()

        await choose("ffn 1")
        grid = app.screen.query_one(LayerGrid)
        assert app.state.players[grid.cursor].label == "FFN 1"
        assert app.state.bench is not None
        other = app.state.bench.tasks[-1]
        await choose(f"task: {other.name}")
        assert app.state.task == other.key
        await choose("colour-blind")
        assert app.settings.theme == "colour-blind"


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
        await settled(pilot, "comma", "f1")
        text = squashed(drawn(pilot))
        assert squashed("enter confirms the dialog") in text
        assert "enterstarts" not in text, "nothing is started by settings"
