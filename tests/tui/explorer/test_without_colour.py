"""In every dialog it is seen without colour what is chosen, what is ticked, and where the focus is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.app import App
from textual.screen import Screen

from core.evaluator.silence import Silence
from tests.support import example_state as example
from tests.support.screen_host import fill, settled
from tests.tui.explorer.screens.test_run import opened
from tests.tui.explorer.test_snapshots import CONFIG, Still
from tui.explorer.compare.view import Side
from tui.explorer.presets import Grid
from tui.explorer.scope import Scope
from tui.explorer.screens.choose import ChooseDialog
from tui.explorer.screens.confirm import ConfirmDialog
from tui.explorer.screens.documents import DocumentsScreen
from tui.explorer.screens.export import ExportDialog
from tui.explorer.screens.jobs import JobsScreen
from tui.explorer.screens.path import PathDialog
from tui.explorer.screens.pick_side import PickDialog
from tui.explorer.screens.presets import PresetsDialog
from tui.explorer.screens.results import ResultsScreen
from tui.explorer.screens.run import RunDialog
from tui.explorer.screens.say import SayScreen
from tui.explorer.screens.settings import SettingsDialog
from tui.explorer.screens.silence import SilenceDialog
from tui.settings import Settings

pytestmark = pytest.mark.asyncio

STATE = example.state(jobs=(example.job(), example.job(job=2, state="failed")))
GRID = Grid(STATE.players, STATE.removed, (), STATE.shown_charts)
BENCH = example.opened()
SCOPE = Scope()
SIDES = (Side("a", "one model"), Side("b", "another model"))

DIALOGS: dict[str, tuple[Callable[[Path], Screen[Any]], tuple[str, ...]]] = {
    "run": (lambda _: RunDialog(BENCH), ("right", "down", "down", "down", "right", "tab", "tab", "tab")),
    "run, tasks": (lambda _: RunDialog(opened()), ("up", "space", "right", "space")),
    "choose": (lambda _: ChooseDialog(CONFIG), ("down", "down", "tab", "tab", "tab", "down", "space")),
    "export": (
        lambda path: ExportDialog(path, SCOPE, table="ablation"),
        ("tab", "tab", "tab", "right", "right", "tab", "right", "tab", "space", "tab"),
    ),
    "settings": (
        lambda _: SettingsDialog(Settings()),
        ("right", "down", "right", "down", "down", "down", "tab", "tab"),
    ),
    "path": (lambda _: PathDialog(BENCH), ("tab", "right", "tab", "tab", "space", "tab", "tab")),
    "sets": (lambda _: PresetsDialog(GRID), ("down", "down", "up")),
    "pick": (lambda _: PickDialog("Compare", SIDES), ("down", "up")),
    "confirm": (lambda _: ConfirmDialog("Go on?"), ("left", "right")),
    "silence": (lambda _: SilenceDialog(Silence(None, stopped=False)), ("left", "right")),
    "jobs": (lambda _: JobsScreen(), ("down", "right", "tab", "tab")),
    "results": (lambda path: ResultsScreen(path, Scope()), ("down", "right", "t")),
    "documents": (lambda path: DocumentsScreen(path, SCOPE, ()), ("down", "tab")),
    "say": (lambda _: SayScreen(), ("tab", "tab", "tab", "tab", "space", "tab", "tab")),
}  # fmt: skip

Look = tuple[str, bool, bool, bool]
"""A text, and whether it is bold, underlined and reversed."""


def without_colour(app: App[Any]) -> list[list[Look]]:
    """Return what a terminal without colour shows of the screen, line by line and character by character."""
    lines = []
    for strip in app.screen._compositor.render_strips():
        line: list[Look] = []
        for text, style, _ in strip:
            look = (bool(style and style.bold), bool(style and style.underline), bool(style and style.reverse))
            line += [(letter, *look) for letter in text]
        lines.append(line)
    return lines


@pytest.mark.parametrize("dialog", DIALOGS)
async def test_every_key_that_moves_or_chooses_is_seen(
    dialog: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ChooseDialog, "_look", lambda _self: None)
    make, keys = DIALOGS[dialog]
    path = tmp_path / "s.duckdb"
    fill(path)
    app = Still(path, STATE)
    app.settings = Settings(theme="monochrome")
    async with app.run_test(size=(100, 40)) as pilot:
        await settled(pilot)
        app.push_screen(make(path))
        await settled(pilot)
        for number, key in enumerate(keys):
            before = without_colour(app)
            await settled(pilot, key)
            assert without_colour(app) != before, (number, key)
