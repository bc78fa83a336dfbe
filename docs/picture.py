"""Make explorer.svg beside this file: the explorer in the middle of a real sweep, with one layer removed by hand.

`python docs/picture.py STORE` takes about two minutes. STORE is a new file.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from core.config.run_config import load_config
from core.evaluator import client
from tui.explorer.app import Explorer
from tui.explorer.session import Session

PATIENCE = 6000


async def _until(pilot: Pilot[None], there: Callable[[], object]) -> None:
    for _ in range(PATIENCE):
        if there():
            return
        await pilot.pause(0.1)
    raise TimeoutError


async def main(store: Path) -> None:
    """Take the picture."""
    app = Explorer(store, Session(config=load_config(Path("quickstart"), {})), insist=True)
    async with app.run_test(size=(120, 35)) as pilot:
        await _until(pilot, lambda: app.state.bench is not None and app.state.charts)
        await pilot.press("r")
        await pilot.pause(0.5)
        await pilot.press("ctrl+s")
        await _until(pilot, lambda: _at_the_second_task(app))
        await pilot.press("down", "space")
        await _until(pilot, lambda: app.state.shown_score is not None and app.state.shown_score.final)
        await pilot.pause(1)
        app.save_screenshot("explorer.svg", path=str(Path(__file__).parent))
    await client.stop(store)


def _at_the_second_task(app: Explorer) -> bool:
    job = app.state.current_job
    return job is not None and "capitals" in job.phase and job.done > job.total / 2


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]).resolve()))
