"""The command palette finds models and tasks, and has the dialog open them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.command import CommandPalette, Hit
from textual.widgets import Static

from core.config.run_config import RunConfig
from core.models.choices import ModelChoice
from core.tasks.choices import TaskChoice
from tests.support.choosing import there_is
from tests.support.explorer import until
from tests.support.screen_host import drawn, settled
from tests.tui.explorer.test_bursts import burst
from tui.explorer.app import Explorer
from tui.explorer.look_before import Verdict
from tui.explorer.screens import choose, open_commands
from tui.explorer.screens.choose import ChooseDialog
from tui.explorer.screens.jobs import JobsScreen
from tui.explorer.screens.open_commands import OpenCommands
from tui.explorer.session import Session
from tui.explorer.widgets import task_picker

CONFIG = RunConfig.model_validate({"tasks": "agreement", "expert_layers": "3", "revision": "main"})
HERE = ModelChoice("someone/odd[b]", "hub", "someone/odd[b]", architecture="llama", layers=4, cached=True)
TASKS = (
    TaskChoice("arc_ar"),
    TaskChoice("arc_easy", known=True),
    TaskChoice("humaneval", refused="it runs code"),
    *(TaskChoice(f"subject_{number:04}_exam") for number in range(3000)),
)


class Opening(Explorer):
    """Has no evaluator, and notes what it is asked to open."""

    def __init__(self, folder: Path, said: str | None = None) -> None:
        super().__init__(folder / "s.duckdb", Session(config=CONFIG))
        self.asked: list[RunConfig] = []
        self.said = said

    def listen(self) -> None:  # type: ignore[override]
        """Connect to nothing."""

    async def open(self, config: RunConfig) -> str | None:
        self.asked.append(config)
        return self.said


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    there_is(monkeypatch, [HERE], TASKS)
    monkeypatch.setattr(choose, "look_before", lambda _: Verdict())


async def found(app: Explorer, query: str) -> list[str]:
    commands = OpenCommands(app.screen)
    await commands.startup()
    hits = [hit async for hit in commands.search(query)]
    assert all(isinstance(hit, Hit) and hit.score > 0 for hit in hits)
    return [str(hit.text) for hit in sorted(hits, reverse=True)]


async def test_models_and_tasks_are_found_by_parts_of_their_names(tmp_path: Path) -> None:
    app = Opening(tmp_path)
    async with app.run_test():
        assert (await found(app, "odd"))[0] == "open model someone/odd[b]"
        assert (await found(app, "task arc"))[:2] == ["open task arc_easy", "open task arc_ar"]
        assert "open model gpt2" in await found(app, "model gpt2")
        assert (await found(app, "exam 2999"))[0] == "open task subject_2999_exam"
        assert not [one for one in await found(app, "humaneval") if "humaneval" in one]
        assert not await found(app, "zzzzqqq")


async def test_letters_typed_while_models_are_looked_up_find_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up, asked = open_commands._finders, threading.Event()

    def slow(first: Sequence[str]) -> Any:
        asked.wait()
        return look_up(first)

    monkeypatch.setattr(open_commands, "_finders", slow)
    async with Opening(tmp_path).run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("ctrl+p")
        for letter in "odd":  # each ends the search for the letters before it
            await pilot.press(letter)
            await pilot.pause(0.1)
        asked.set()
        await until(pilot, lambda: "open model someone/odd[b]" in drawn(pilot))


async def test_tasks_that_were_not_read_yet_are_left_to_the_dialog(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_picker, "kept_tasks", lambda: None)
    app = Opening(tmp_path)
    async with app.run_test():
        assert not [one for one in await found(app, "arc_easy") if "arc_easy" in one]
        assert "open task capitals" in await found(app, "capitals")


async def test_a_model_that_is_found_is_opened_with_the_chosen_tasks(tmp_path: Path) -> None:
    app = Opening(tmp_path)
    async with app.run_test() as pilot:
        await burst(pilot, "ctrl+p")
        await burst(pilot, "=someone/odd")
        await settled(pilot)
        await burst(pilot, "down", "enter")
        await settled(pilot)
        (config,) = app.asked
        assert (config.model, config.revision, config.expert_layers) == ("someone/odd[b]", None, None)
        assert [task.name for task in config.tasks] == ["agreement"]
        assert not isinstance(app.screen, ChooseDialog | CommandPalette)


async def test_a_task_that_is_found_is_opened_besides_the_others_from_any_screen(tmp_path: Path) -> None:
    app = Opening(tmp_path, said="the disk is full")
    async with app.run_test() as pilot:
        await burst(pilot, "j", "ctrl+p", "=arc_easy")
        await settled(pilot)
        await burst(pilot, "down", "enter")
        await settled(pilot)
        (config,) = app.asked
        assert [task.name for task in config.tasks] == ["agreement", "arc_easy"]
        assert (config.model, config.revision) == (CONFIG.model, "main")
        assert isinstance(app.screen, ChooseDialog)
        assert str(app.screen.query_one("#fault", Static).visual) == "the disk is full"
        await burst(pilot, "escape")
        assert isinstance(app.screen, JobsScreen)
