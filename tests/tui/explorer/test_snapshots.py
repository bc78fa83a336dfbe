"""Pictures of every screen at 80x24 and 160x45; ``pytest --snapshot-update`` takes them anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core.config.run_config import RunConfig
from tests.support import example_state as example
from tests.support.screen_host import fill, settled
from tui.explorer.app import Explorer
from tui.explorer.screens.choose import ChooseDialog
from tui.explorer.session import Session
from tui.explorer.state import State, lost

SIZES = [(80, 24), (160, 45)]
CONFIG = RunConfig.model_validate({"tasks": ["agreement", "capitals"], "limit": 32})


class Still(Explorer):
    """An explorer without an evaluator, which shows a state that is given."""

    def __init__(self, store: Path, shown: State) -> None:
        super().__init__(store, Session(config=CONFIG))
        self.shown = shown

    def listen(self) -> None:  # type: ignore[override]
        self.state = self.shown


def _keys(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def press(pilot: Pilot[Any]) -> None:
        await pilot.pause()
        await settled(pilot, *keys)

    return press


FAILED = example.job(job=2, state="failed", error="Traceback\n  [red]out of memory[/]", title="ablation on capitals")
SCREENS: dict[str, tuple[State, tuple[str, ...]]] = {
    "explore": (example.state(), ()),
    "nothing yet": (State(narration="loading smollm2-135m-instruct"), ()),
    "evaluator gone": (lost(example.state(), "the evaluator is gone; ctrl+r starts it again"), ()),
    "eighty layers": (example.state(80), ()),
    "hybrid": (example.state(example.HYBRID), ("right", "right", "down")),
    "hybrid, nothing evaluated": (example.state(example.HYBRID, charts={}), ("shift+right", "shift+down")),
    "dense first layer": (example.state(example.DENSE_FIRST), ("down", "right")),
    "four a layer": (example.state(example.FOUR), ("down", "down", "right")),
    "deep, three a layer": (example.state(example.DEEP), ("end", "up")),
    "one a layer": (example.state(example.ONE), ()),
    "single experts": (example.state(example.EXPERTS), ("right", "down", "right")),
    "run": (example.state(), ("r",)),
    "run refused": (example.state(), ("r", "left", "left")),
    "choose": (example.state(), ("m",)),
    "jobs": (example.state(jobs=(example.job(), FAILED)), ("j", "down")),
    "help": (example.state(), ("f1",)),
    "export": (example.state(), ("e",)),
    "results": (State(), ("b",)),
    "shapley": (State(), ("b", "t", "t")),
    "interactions": (State(), ("b", "t", "t", "t", "down")),
    "cornerstones": (State(), ("b", "t", "t", "t", "t")),
    "documents": (State(), ("b", "down", "enter")),
}


@pytest.mark.parametrize(
    "size", [SIZES[0], pytest.param(SIZES[1], marks=pytest.mark.slow)], ids=lambda size: f"{size[0]}x{size[1]}"
)
@pytest.mark.parametrize("name", SCREENS)
def test_it_looks_as_it_did(
    name: str, size: tuple[int, int], snap_compare: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ChooseDialog, "_look", lambda _self: None)  # what is cached differs by machine
    monkeypatch.setattr("textual.widgets.Input.cursor_blink", False, raising=False)
    state, keys = SCREENS[name]
    store = tmp_path / "s.duckdb"
    fill(store)
    assert snap_compare(Still(store, state), terminal_size=size, run_before=_keys(*keys))
