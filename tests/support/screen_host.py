"""A bare app for one screen, a store to show in it, and the text that it draws."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen

from core.coalitions.schedules import windows
from core.config.run_config import RunConfig
from core.records.records import Outcome
from store.results import Results
from store.rows import GroupRow
from tests.support.store_records import PLAYERS, assignment, documents, keep, outcome
from tui.explorer.key_order import KeysInOrder
from tui.explorer.session import Session

EVERY_WINDOW = windows(PLAYERS, 4)
DOCUMENTS = 6


class Host(KeysInOrder):
    """Shows one screen; what it is dismissed with is kept in ``results``, and what it remembers in ``session``."""

    def __init__(self, screen: Callable[[], Screen[Any]]) -> None:
        super().__init__()
        self._make = screen
        self.results: list[Any] = []
        self.session = Session(config=RunConfig.model_validate({"tasks": ["agreement"]}))

    def on_mount(self) -> None:
        self.push_screen(self._make(), self.results.append)

    def keep(self, session: Session) -> None:
        self.session = session


@asynccontextmanager
async def hosted(screen: Callable[[], Screen[Any]], size: tuple[int, int] = (100, 30)) -> AsyncIterator[Pilot[None]]:
    """Run a host, and wait until its workers are done."""
    async with Host(screen).run_test(size=size) as pilot:
        await settled(pilot)
        yield pilot


_BUSY_MACHINE_S = 0.02
"""Textual takes an app for idle that gets no time on a busy machine, so it is given some."""


_KEYS_S = 30.0


async def settled(pilot: Pilot[None], *keys: str) -> None:
    """Press keys one by one, each followed by all that it sets going."""
    for key in keys or ("",):
        if key:
            await pilot.press(key)
        for _ in range(3):
            await _keys_taken(pilot.app)
            await pilot.app.workers.wait_for_complete()
            await pilot.pause(_BUSY_MACHINE_S)
    await pilot.pause()


async def _keys_taken(app: App[Any]) -> None:
    """Wait until no key waits for a screen that opens, or for what an earlier key set going."""
    deadline = asyncio.get_running_loop().time() + _KEYS_S
    while isinstance(app, KeysInOrder) and not app.settled and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(_BUSY_MACHINE_S)


async def typed(pilot: Pilot[None], text: str) -> None:
    """Type into what has the focus, and wait as long as a filter does."""
    await pilot.press(*({" ": "space", "_": "underscore"}.get(char, char) for char in text))
    await asyncio.sleep(0.2)
    await settled(pilot)


def drawn(pilot: Pilot[None]) -> str:
    """Return everything on the screen as text."""
    return "\n".join(strip.text.rstrip() for strip in pilot.app.screen._compositor.render_strips())


def squashed(text: str) -> str:
    """Return a text without spaces and frames, so that it does not matter where a line was broken."""
    return "".join(text.replace("│", "").split())


def rows_of(text: str, *labels: str) -> list[str]:
    """Return the lines of a screen that begin with one of ``labels``."""
    return [line.strip() for line in text.splitlines() if line.strip().startswith(labels)]


def falling(document: int, removed: tuple[int, ...]) -> float:
    """The first player carries documents 0, 1 and 2, the second document 0, no other anything; 5 is never right."""
    return float(document != 5 and not (0 in removed and document < 3) and not (1 in removed and document == 0))


def outcomes(run: range = range(DOCUMENTS)) -> list[Outcome]:
    """Return outcomes of every window: a right answer picks the gold choice, a wrong one the choice after it."""
    kept = []
    for removed in EVERY_WINDOW:
        for document in run:
            acc = falling(document, removed)
            logprobs = [-4.0, -4.0, -4.0, -4.0]
            logprobs[(document + (not acc)) % 4] = -1.0 - len(removed)
            kept.append(outcome(f"doc-{document}", removed, acc, logprobs=logprobs))
    return kept


def fill(path: Path) -> GroupRow:
    """Store every window of a tiny model on one task; return the group of these results."""
    keep(path, assignment(documents(range(DOCUMENTS)), EVERY_WINDOW), outcomes())
    return next(group for group in Results(path).groups().rows if group.task == "capitals")
