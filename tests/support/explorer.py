"""The real explorer under Textual's pilot, on a real evaluator in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from textual.pilot import Pilot

from core.config.run_config import RunConfig
from core.evaluator import client
from tests.support.evaluator_process import SERVE, Evaluator, talk
from tests.support.screen_host import drawn
from tui.explorer.app import Explorer
from tui.explorer.session import Session

PATIENCE_S = 240.0


class Telling(Explorer):
    """Keeps what it tells, which disappears from the screen after some seconds."""

    def __init__(self, store: Path, session: Session) -> None:
        super().__init__(store, session)
        self.told: list[str] = []

    def say(self, text: str, *, error: bool = False) -> None:
        self.told.append(text)
        super().say(text, error=error)


@asynccontextmanager
async def exploring(
    store: Path, config: RunConfig, program: Sequence[str] = SERVE
) -> AsyncIterator[tuple[Telling, Pilot[None]]]:
    """Run an explorer with an open workbench, on an evaluator that is started before it and ended after it."""
    evaluator = Evaluator(store, program)
    try:
        async with talk(store, evaluator):
            pass
        async with explorer_on(store, Session(config=config)) as found:
            yield found
    finally:
        await client.stop(store)
        evaluator.end()


@asynccontextmanager
async def explorer_on(
    store: Path, session: Session, size: tuple[int, int] = (120, 35)
) -> AsyncIterator[tuple[Telling, Pilot[None]]]:
    """Run an explorer with an open workbench; its evaluator goes on after it."""
    app = Telling(store, session)
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: app.state.bench is not None and bool(app.state.charts) and not app.state.stored)
        yield app, pilot


async def until(pilot: Pilot[None], there: Callable[[], object]) -> None:
    """Wait until a condition holds, and everything is drawn that came with it."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while not there():
        assert asyncio.get_running_loop().time() < deadline, f"it did not come; on the screen:\n{drawn(pilot)}"
        await pilot.pause(0.05)
    await pilot.pause()
