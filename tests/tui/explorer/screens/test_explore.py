"""The home screen's hands: what keys, dialogs, clicks and bursts of keys do to the removed set and the cursor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList

from core.evaluator.protocol import Request, Toggle
from core.removal_path.mask_file import MaskedModel, Saved, mask_of, write
from tests.support import example_state as example
from tests.support.example_home import home_rows
from tests.support.explorer import until
from tests.support.screen_host import drawn, fill, settled
from tests.tui.explorer.test_bursts import burst
from tests.tui.explorer.test_snapshots import Still
from tui.explorer.home_reading import HomeRows, Wanted
from tui.explorer.screens.documents import DocumentsScreen
from tui.explorer.screens.explore import ExploreScreen
from tui.explorer.screens.go_to import GoToDialog
from tui.explorer.screens.presets import PresetsDialog
from tui.explorer.state import State
from tui.explorer.widgets.ablation_plot import AblationPlot
from tui.explorer.widgets.interaction_map import InteractionMap
from tui.explorer.widgets.layer_grid import LayerGrid
from tui.explorer.widgets.shapley_bars import ShapleyBars

pytestmark = pytest.mark.asyncio


class Asked(Still):
    """Keeps what it asks the evaluator for."""

    def __init__(self, store: Path, shown: State) -> None:
        super().__init__(store, shown)
        self.asked: list[Request] = []
        self.said: list[str] = []

    def ask(self, request: Request) -> Any:
        self.asked.append(request)

    def say(self, text: str, *, error: bool = False) -> None:
        self.said.append(text)


@asynccontextmanager
async def home(
    tmp_path: Path, state: State | None = None, size: tuple[int, int] = (120, 35)
) -> AsyncIterator[tuple[Asked, Pilot[None]]]:
    app = Asked(tmp_path / "s.duckdb", state or example.state(removed=()))
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield app, pilot


def grid(app: Asked) -> LayerGrid:
    return app.screen_stack[1].query_one(LayerGrid)


@pytest.mark.slow
async def test_undo_and_redo_walk_through_what_was_removed(tmp_path: Path) -> None:
    async with home(tmp_path) as (app, pilot):
        await settled(pilot, "space", "right", "l", "c", "c")
        assert app.state.removed == ()
        await settled(pilot, "u")
        assert app.state.removed == (0, 2, 3)
        await settled(pilot, "u", "u", "u")
        assert app.state.removed == ()
        assert app.said[-1] == "nothing to undo"
        await settled(pilot, "ctrl+y", "U")
        assert app.state.removed == (0, 2, 3)
        assert app.asked[-1] == Toggle(task=example.TASK, removed=(0, 2, 3))
        await settled(pilot, "right", "space", "ctrl+y")
        assert app.state.removed == (0, 2, 3, 4)
        assert app.said[-1] == "nothing to do again"


async def test_another_model_has_steps_of_its_own(tmp_path: Path) -> None:
    async with home(tmp_path) as (app, pilot):
        await settled(pilot, "space")
        app.state = example.state(example.HYBRID, removed=(), scored=None)
        await settled(pilot, "u")
        assert app.state.removed == ()
        assert app.said[-1] == "nothing to undo"


@pytest.mark.slow
async def test_keys_of_one_burst_are_carried_out_in_order(tmp_path: Path) -> None:
    async with home(tmp_path) as (app, pilot):
        await burst(pilot, "space", "right", "space", "u", "u", "ctrl+y", "g", "=ffn 11", "enter", "space", "l")
        assert app.state.removed == (0, 22, 23)
        await burst(pilot, "s", "3", "down", "down", "down", "enter", "u", "u", "c")
        assert app.state.removed == ()
        await burst(pilot, "u", "u", "s", "escape", "slash", "=a2", "escape", "space")
        assert grid(app).cursor == 23


async def test_go_to_moves_the_cursor_and_says_what_is_no_layer(tmp_path: Path) -> None:
    async with home(tmp_path) as (app, pilot):
        await settled(pilot, "g")
        await settled(pilot, *"[b]9")
        assert isinstance(app.screen, GoToDialog)
        assert "write a layer's number" in drawn(pilot)
        await settled(pilot, "enter")
        assert isinstance(app.screen, GoToDialog)
        app.screen.query_one(Input).value = "ffn 7"
        await settled(pilot)
        assert "→ FFN 7" in drawn(pilot)
        await settled(pilot, "enter")
        assert isinstance(app.screen, ExploreScreen)
        assert grid(app).selection == (15,)


@pytest.mark.slow
async def test_a_preset_is_removed_with_the_number_that_was_typed(tmp_path: Path) -> None:
    async with home(tmp_path) as (app, pilot):
        await settled(pilot, "s", "1", "2", "backspace")
        assert isinstance(app.screen, PresetsDialog)
        assert "the last layer  Attn 29, FFN 29" in drawn(pilot)
        await settled(pilot, "backspace", "0", "2", "down", "down", "down")
        assert "the last 2 layers  Attn 28, FFN 28, Attn 29, FFN 29" in drawn(pilot)
        await settled(pilot, "enter")
        assert app.state.removed == (56, 57, 58, 59)
        await settled(pilot, "s", "end", "up", "enter")
        assert app.state.removed == tuple(range(56))
        await settled(pilot, "u")
        assert app.state.removed == (56, 57, 58, 59)


async def test_presets_of_what_is_not_known_cannot_be_chosen(tmp_path: Path) -> None:
    async with home(tmp_path, example.state(removed=(), charts={})) as (app, pilot):
        await settled(pilot, "s")
        options = app.screen.query_one(OptionList)
        assert [options.get_option_at_index(at).disabled for at in (0, 1, 2, 3)] == [False, True, True, False]
        assert "no shares yet" in drawn(pilot)


def a_mask(path: Path, layers: int, removed: tuple[int, ...]) -> Path:
    model = MaskedModel("other [red]name", "here", None, "e" * 64, "float32", "llama", example.kinds(layers))
    write(mask_of(model, removed, (), Saved(1, 2, 1, 2)), path)
    return path


@pytest.mark.slow
async def test_a_mask_file_is_removed_or_refused(tmp_path: Path) -> None:
    good, other = a_mask(tmp_path / "good.json", 30, (4, 9)), a_mask(tmp_path / "other.json", 12, (4,))
    async with home(tmp_path) as (app, pilot):
        await burst(pilot, "s", "end", "enter", f"={tmp_path}/none.json", "enter")
        assert "cannot read the mask" in drawn(pilot)
        refused = [(other, "is for other [red]name"), (tmp_path / "s.duckdb", "cannot read"), ("", "write")]
        for path, said in (*refused, ("~nobody-of-this-name/mask.json", "cannot read the mask")):
            app.screen.query_one("#file", Input).value = str(path)
            await settled(pilot, "enter")
            assert isinstance(app.screen, PresetsDialog)
            assert said in drawn(pilot)
        await burst(pilot, "ctrl+a", "ctrl+k", f"={good}", "enter")
        assert app.state.removed == (4, 9)


async def test_the_cursor_and_the_charts_are_linked_both_ways(tmp_path: Path) -> None:
    async with home(tmp_path) as (app, pilot):
        plot, bars = app.screen.query_one(AblationPlot), app.screen.query_one(ShapleyBars)
        await settled(pilot, "down", "right")
        drawing = plot._drawing()
        assert drawing is not None
        assert drawing.here == drawing.places[3]
        assert "FFN 1" in next(line for line in drawn(pilot).split("\n") if "▸" in line).split("│")[-2]
        x, y = drawing.places[58]
        await pilot.click(plot, offset=(x + 2, y + 1))
        assert grid(app).selection == (58,)
        await pilot.click(bars, offset=(4, 1))
        await settled(pilot)
        assert app.state.players[grid(app).cursor].label in drawn(pilot)
        assert app.state.removed == ()


@pytest.mark.parametrize("focused", [LayerGrid, ShapleyBars])
async def test_enter_shows_the_documents_of_what_is_removed(tmp_path: Path, focused: type) -> None:
    fill(tmp_path / "s.duckdb")
    async with home(tmp_path, example.state()) as (app, pilot):
        app.screen.query_one(focused).focus()
        await settled(pilot, "enter")
        assert isinstance(app.screen, DocumentsScreen)
        assert app.screen._removed == (0, 7)
        await settled(pilot, "escape")
        assert isinstance(app.screen, ExploreScreen)


@pytest.mark.parametrize("key", ["space", "l", "u", "ctrl+y", "g", "s", "enter", "c", "escape"])
async def test_without_a_model_every_key_is_harmless(tmp_path: Path, key: str) -> None:
    async with home(tmp_path, State()) as (app, pilot):
        await settled(pilot, key)
        assert isinstance(app.screen, ExploreScreen)
        assert app.asked == []


async def test_clearing_selects_nothing(tmp_path: Path) -> None:
    async with home(tmp_path) as (app, pilot):
        await settled(pilot, "shift+right", "shift+down", "space", "c")
        assert grid(app).selection == (3,)
        assert "selected" not in drawn(pilot)
        assert app.state.removed == ()


@pytest.mark.parametrize(
    ("size", "seen", "hidden"),
    [
        ((40, 12), ("Layers", "This coalition", "drop .258"), ("Ablation", "Job", "Shapley")),
        ((60, 20), ("Layers", "Ablation", "This coalition", "drop .258", "Job", "11 562"), ("Tasks",)),
        ((80, 24), ("Layers", "Ablation", "Job", "n = 120"), ("Tasks", "Interactions")),
        ((120, 35), ("Layers", "Ablation", "Job", "intact .892"), ("Tasks", "Interactions")),
        ((200, 60), ("Interactions", "Tasks", "answers changed", "Job", "Shapley share"), ()),
    ],
)
async def test_home_fills_the_terminal_and_nothing_is_cut(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
    seen: tuple[str, ...],
    hidden: tuple[str, ...],
) -> None:
    monkeypatch.setattr("tui.explorer.screens.home_feed.read_home", home_rows)
    monkeypatch.setattr("tui.explorer.screens.home_feed._SOON_S", 0.01)
    async with home(tmp_path, example.state(), size) as (app, pilot):
        await until(pilot, lambda: not seen or all(word in drawn(pilot) for word in seen))
        text = drawn(pilot)
        assert all(word not in text for word in hidden)
        assert app.screen.max_scroll_y == 0
        assert text.split("\n")[-1].startswith("space toggle")


@pytest.mark.slow
async def test_a_large_home_follows_what_is_removed_and_links_the_map(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Wanted] = []

    def read(store: Path, wanted: Wanted) -> HomeRows:
        asked.append(wanted)
        return home_rows(store, wanted)

    monkeypatch.setattr("tui.explorer.screens.home_feed.read_home", read)
    monkeypatch.setattr("tui.explorer.screens.home_feed._SOON_S", 0.01)
    async with home(tmp_path, example.state(), (200, 60)) as (app, pilot):
        await until(pilot, lambda: "answers changed" in drawn(pilot))
        assert [(one.removed, one.documents, one.shares) for one in asked] == [((0, 7), 120, 120)]
        await settled(pilot, "c")
        await until(pilot, lambda: asked[-1].removed == ())
        await until(pilot, lambda: "Documents: 120" in drawn(pilot))
        await settled(pilot, "end", "down")
        pairs = app.screen.query_one(InteractionMap)
        await settled(pilot, "home", "right")
        assert pairs.cursor[1] == grid(app).cursor == 3
        pairs.focus()
        await settled(pilot, "right")
        assert grid(app).cursor == pairs.cursor[1] == 4
        assert app.state.removed == ()


async def test_a_small_home_reads_nothing_from_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(_store: Path, _wanted: Wanted) -> HomeRows:
        raise AssertionError("nothing is shown of it")

    monkeypatch.setattr("tui.explorer.screens.home_feed.read_home", read)
    monkeypatch.setattr("tui.explorer.screens.home_feed._SOON_S", 0.01)
    async with home(tmp_path, example.state(), (120, 35)) as (_, pilot):
        await settled(pilot, "right", "space")
        await pilot.pause(0.1)
