"""Make the pictures of docs/explorer.md: the explorer in a real sweep, then each of its screens.

`XDG_DATA_HOME=FOLDER python docs/pictures.py` takes a few minutes. FOLDER is new, so that the default store is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from textual.pilot import Pilot

from core.config.run_config import load_config
from core.evaluator import client
from store.file.location import default_path
from tui.explorer.app import Explorer
from tui.explorer.session import Session

FOLDER: Final = Path(__file__).parent / "pictures"
PATIENCE: Final = 6000
DOCUMENTS: Final = 12
PROMPT: Final = "The capital of France is"


@dataclass(frozen=True, slots=True)
class Screen:
    """A screen: the keys that lead there from home, a text to write there, the keys after it, and those that lead back.

    It is whole after so many ``seconds``.
    """

    name: str
    keys: tuple[str, ...]
    text: str = ""
    then: tuple[str, ...] = ()
    back: tuple[str, ...] = ("escape",)
    seconds: float = 2.0


SCREENS: Final = (
    Screen("run", ("r",)),
    Screen("choose", ("m",)),
    Screen("jobs", ("j",)),
    Screen("results", ("b",)),
    Screen("documents", ("enter",)),
    Screen("say", ("w",), PROMPT, ("ctrl+t", "enter"), ("escape", "escape"), seconds=20.0),
    Screen("compare", ("v", "t")),
    Screen("sql", ("colon",), "SELECT * FROM tasks", ("enter",), ("escape", "escape")),
    Screen("export", ("e",)),
    Screen("settings", ("comma",)),
    Screen("help", ("question_mark",)),
)


async def _until(pilot: Pilot[None], there: Callable[[], object]) -> None:
    for _ in range(PATIENCE):
        if there():
            return
        await pilot.pause(0.1)
    raise TimeoutError


async def main(store: Path) -> None:
    """Take the pictures."""
    FOLDER.mkdir(exist_ok=True)
    app = Explorer(store, Session(config=load_config(Path("quickstart"), {"limit": DOCUMENTS})), start="insist")
    async with app.run_test(size=(120, 35)) as pilot:
        await _until(pilot, lambda: app.state.bench is not None and app.state.charts and not app.state.stored)
        await pilot.press("r")
        await pilot.pause(0.5)
        await pilot.press("ctrl+s")
        await _until(pilot, lambda: _at_the_second_task(app))
        await pilot.press("down", "space")
        await _until(pilot, lambda: app.state.shown_score is not None and app.state.shown_score.final)
        await pilot.pause(1)
        app.save_screenshot("home.svg", path=str(FOLDER))
        await _until(pilot, lambda: not app.state.unfinished)
        for screen in SCREENS:
            await _take(app, pilot, screen)
    await client.stop(store)


async def _take(app: Explorer, pilot: Pilot[None], screen: Screen) -> None:
    await pilot.press(*screen.keys)
    await pilot.pause(1.5)
    await pilot.press(*(_KEYS.get(letter, letter) for letter in screen.text), *screen.then)
    await pilot.pause(screen.seconds)
    app.save_screenshot(f"{screen.name}.svg", path=str(FOLDER))
    await pilot.press(*screen.back)
    await pilot.pause(0.5)


_KEYS: Final = {" ": "space", "*": "asterisk"}


def _at_the_second_task(app: Explorer) -> bool:
    job = app.state.current_job
    return job is not None and "capitals" in job.phase and job.done > job.total / 2


if __name__ == "__main__":
    asyncio.run(main(default_path()))
