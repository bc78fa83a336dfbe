"""The dialog that chooses on a bare app, which plays the explorer: it keeps what it is asked to open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot
from textual.reactive import reactive
from textual.widgets import Input, OptionList, Static

from core.config.run_config import RunConfig
from core.models.choices import ModelChoice
from core.tasks.choices import TaskChoice
from tests.support.screen_host import Host, settled
from tui.explorer.screens.choose import ChooseDialog
from tui.explorer.state import State
from tui.explorer.widgets import model_picker, task_picker


class ChoosingHost(Host):
    """Answers each choice with ``said``; while that is missing the dialog waits."""

    state: reactive[State] = reactive(State)

    def __init__(self, dialog: Callable[[], ChooseDialog], said: str | None, *, answers: bool) -> None:
        super().__init__(dialog)
        self.asked: list[RunConfig] = []
        self.gave_up = 0
        self.said = said
        self.may_answer = asyncio.Event()
        if answers:
            self.may_answer.set()

    async def open(self, config: RunConfig) -> str | None:
        self.asked.append(config)
        await self.may_answer.wait()
        return self.said

    def give_up(self) -> None:
        self.gave_up += 1
        self.said = "given up"
        self.may_answer.set()


@asynccontextmanager
async def choosing(
    dialog: Callable[[], ChooseDialog],
    size: tuple[int, int] = (100, 30),
    *,
    said: str | None = None,
    answers: bool = True,
    state: State | None = None,
) -> AsyncIterator[tuple[ChoosingHost, Pilot[None]]]:
    """Run a dialog, and wait until it has looked around."""
    app = ChoosingHost(dialog, said, answers=answers)
    if state is not None:
        app.set_reactive(ChoosingHost.state, state)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield app, pilot


def there_is(monkeypatch: pytest.MonkeyPatch, models: Sequence[ModelChoice], tasks: Sequence[TaskChoice]) -> None:
    """Let a machine have these models beside the aliases, and lm-eval these tasks."""
    known = model_picker.alias_choices()
    monkeypatch.setattr(model_picker, "all_choices", lambda: (*known, *models))
    monkeypatch.setattr(model_picker, "recent_models", lambda: ())
    monkeypatch.setattr(task_picker, "kept_tasks", lambda: ())
    monkeypatch.setattr(task_picker, "lm_eval_choices", lambda: tuple(tasks))


def rows(pilot: Pilot[None], name: str) -> list[str]:
    """Return the rows of the list for a model or a task, as they are drawn."""
    options = pilot.app.screen.query_one(f"#{name}-list", OptionList)
    return [str(option.prompt).rstrip() for option in options.options]


def said(pilot: Pilot[None], where: str) -> str:
    """Return the sentence at a field, or ``fault`` for the one at the bottom."""
    return str(pilot.app.screen.query_one(f"#{where}", Static).visual)


def written(pilot: Pilot[None], field: str) -> str:
    return pilot.app.screen.query_one(f"#{field}", Input).value
