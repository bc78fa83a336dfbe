"""Keys that come in one read, as over a slow line: each acts on what those before it have left."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from textual.app import ComposeResult
from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from core.config.run_config import RunConfig
from tests.support.screen_host import Host, drawn, fill, hosted, settled
from tests.tui.explorer.screens.test_run import opened
from tui.explorer.key_order import KeysInOrder
from tui.explorer.scope import Scope
from tui.explorer.screens.export import ExportDialog
from tui.explorer.screens.results import ResultsScreen
from tui.explorer.screens.run import RunDialog

pytestmark = pytest.mark.asyncio


async def burst(pilot: Pilot[None], *keys: str) -> None:
    """Send keys, or texts of several characters after an =, at once; wait until all has settled."""
    app = pilot.app
    assert isinstance(app, KeysInOrder)
    for key in keys:
        for one in key[1:] if key.startswith("=") else [key]:
            driver = app._driver
            assert driver is not None
            event = Key(_character_to_key(one) if len(one) == 1 else one, one if len(one) == 1 else None)
            event.set_sender(app)
            driver.send_message(event)
    await pilot.pause()
    while not app.settled:
        await pilot.pause(0.02)
    await settled(pilot)


def result(pilot: Pilot[None]) -> object:
    assert isinstance(pilot.app, Host)
    (found,) = pilot.app.results
    return found


@pytest.mark.slow
async def test_a_file_is_written_under_the_name_that_was_typed(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    group = fill(path)
    async with hosted(lambda: ExportDialog(path, Scope(group.model_id), table="ablation")) as pilot:
        pilot.app.screen.query_one("#path", Input).value = f"{tmp_path}/"
        await burst(pilot, "end", "=out.csv", "ctrl+s")
        assert (tmp_path / "out.csv").is_file()
        assert not [one for one in tmp_path.iterdir() if one.name.startswith("out") and one.name != "out.csv"]


@pytest.mark.parametrize("before", [(), ("ctrl+a", "ctrl+k")])
async def test_a_run_has_the_number_that_was_typed(before: tuple[str, ...]) -> None:
    async with hosted(lambda: RunDialog(opened(limit=32 if before else None))) as pilot:
        pilot.app.screen.query_one("#limit", Input).focus()
        await settled(pilot)
        await burst(pilot, *before, "8", "ctrl+s")
        config = result(pilot)
    assert isinstance(config, RunConfig)
    assert config.limit == 8


async def test_a_run_has_the_tasks_that_were_ticked_and_the_window_that_was_typed() -> None:
    async with hosted(lambda: RunDialog(opened(limit=32))) as pilot:
        await burst(pilot, "up", "right", "space", "down", "right", "left", "ctrl+s")
        config = result(pilot)
    assert isinstance(config, RunConfig)
    assert ([task.name for task in config.tasks], config.schedule) == (["agreement"], ("windows",))


async def test_a_fault_in_a_burst_keeps_the_dialog_and_what_follows_mends_it() -> None:
    async with hosted(lambda: RunDialog(opened(limit=32))) as pilot:
        pilot.app.screen.query_one("#setting-max_removed", Input).focus()
        await settled(pilot)
        await burst(pilot, "ctrl+a", "ctrl+k", "9", "ctrl+s", "ctrl+a", "ctrl+k", "3", "ctrl+s")
        config = result(pilot)
    assert isinstance(config, RunConfig)
    assert config.settings == {"max_removed": 3}


@pytest.mark.slow
async def test_a_filter_gets_what_is_typed_after_its_key(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    fill(path)
    async with hosted(lambda: ResultsScreen(path, Scope())) as pilot:
        await burst(pilot, "=/attn 1")
        await asyncio.sleep(0.2)
        await settled(pilot)
        screen = pilot.app.screen
        assert screen.query_one("#filter", Input).value == "attn 1"
        assert "Attn 1" in drawn(pilot)


async def test_a_dialog_gets_what_is_typed_after_the_key_that_opens_it(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    fill(path)
    async with hosted(lambda: ResultsScreen(path, Scope())) as pilot:
        await burst(pilot, "e", "ctrl+a", "ctrl+k", f"={tmp_path}/x.csv", "ctrl+s")
        assert (tmp_path / "x.csv").is_file()
        await burst(pilot, "escape", "=/ffn")
        assert isinstance(pilot.app.screen, ResultsScreen)
        assert pilot.app.screen.query_one("#filter", Input).value == "ffn"


class Field(ModalScreen[None]):
    def compose(self) -> ComposeResult:
        yield Input()


class Late(Field):
    """Has its widgets only after a while."""

    async def _compose(self) -> None:
        await asyncio.sleep(1.5)
        await super()._compose()


class Opening(KeysInOrder):
    """Opens a dialog by x: at once, after loading its modules, or late."""

    def __init__(self, dialog: type[Field], loads_s: float) -> None:
        super().__init__()
        self.dialog = dialog
        self.loads_s = loads_s
        self.lost: list[str] = []

    def key_x(self) -> None:
        time.sleep(self.loads_s)
        self.push_screen(self.dialog())

    def on_key(self, event: Key) -> None:
        self.lost.append(event.key)


@pytest.mark.parametrize(("dialog", "loads_s"), [(Field, 0.0), (Field, 1.5), (Late, 0.0)])
async def test_a_dialog_gets_what_is_typed_while_it_opens(dialog: type[Field], loads_s: float) -> None:
    app = Opening(dialog, loads_s)
    async with app.run_test() as pilot:
        await burst(pilot, "=xabc", "ctrl+a", "=d")
        assert app.screen.query_one(Input).value == "dabc"
        assert not set(app.lost) & set("abcd"), "no letter goes to the screen below"


async def test_a_dialog_that_opens_by_itself_gets_what_is_typed_meanwhile() -> None:
    app = Opening(Late, 0.0)
    async with app.run_test() as pilot:
        app.push_screen(Late())
        await burst(pilot, "=abc")
        assert app.screen.query_one(Input).value == "abc"
        assert not app.lost


@pytest.mark.slow
async def test_a_widget_that_is_busy_holds_up_a_burst_once_and_not_each_key() -> None:
    class Busy(KeysInOrder):
        def compose(self) -> ComposeResult:
            yield Static()

        async def key_x(self) -> None:
            seen.append(asyncio.get_running_loop().time())

    async def busy() -> None:
        begun.set()
        await asyncio.sleep(6)

    seen: list[float] = []
    begun = asyncio.Event()
    app = Busy()
    async with app.run_test():
        app.query_one(Static).call_later(busy)
        await begun.wait()
        for _ in range(6):
            event = Key("x", "x")
            event.set_sender(app)
            app.post_message(event)
        while len(seen) < 6:
            await asyncio.sleep(0.02)
        assert seen[-1] - seen[1] < seen[1] - seen[0], "one patience for all of them"
        app.exit()
