"""A program that uses the plugin of CONTRIBUTING.md in the explorer. It needs an environment that has the plugin.

``python -m tests.support.explorer_with_plugin STORE MODEL FILE`` runs the plugin's schedule as a job of a real
evaluator, looks at its table, and writes that to FILE. It prints what the screens showed, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input, RadioButton, Tabs

from core.evaluator import client
from tests.support.evaluator_process import config_of
from tests.support.explorer import explorer_on, until
from tests.support.screen_host import drawn
from tui.explorer.session import Session

_MOST_KEYS = 20


async def press_until(pilot: Pilot[None], key: str, there: Callable[[], bool]) -> None:
    for _ in range(_MOST_KEYS):
        if there():
            return
        await pilot.press(key)
        await pilot.pause()
    raise AssertionError(f"{key} does not lead there:\n{drawn(pilot)}")


async def tour(store: Path, model: Path, file: Path) -> dict[str, str]:
    """Use the plugin on each screen; return the text of each screen by a name."""
    shown: dict[str, str] = {}
    async with explorer_on(store, Session(config=config_of(model, limit=6)), (120, 40)) as (app, pilot):
        await pilot.press("r")
        await pilot.pause()
        shown["run, first"] = drawn(pilot)
        await press_until(pilot, "right", lambda: "● pairs" in drawn(pilot))
        app.screen.query_one("#setting-reach", Input).value = "2"
        await pilot.pause()
        shown["run"] = drawn(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: any(job.state in {"finished", "failed"} for job in app.state.jobs))
        await pilot.pause(0.5)
        shown["explore"] = drawn(pilot)
        await pilot.press("b")
        await pilot.pause()
        for table in ("shapley", "kinds"):
            await press_until(pilot, "t", lambda table=table: app.screen.query_one(Tabs).active == table)
            await until(pilot, lambda: "reading the store" not in drawn(pilot))
            shown[table] = drawn(pilot)
        await pilot.press("e")
        await until(pilot, lambda: app.screen.query("#format-tsv"))
        app.screen.query_one("#format-tsv", RadioButton).value = True
        await pilot.pause()
        shown["path"] = app.screen.query_one("#path", Input).value
        app.screen.query_one("#path", Input).value = str(file)
        await pilot.pause()
        shown["export"] = drawn(pilot)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: "wrote" in drawn(pilot))
        shown["written"] = drawn(pilot)
    return shown


async def _main(store: Path, model: Path, file: Path) -> None:
    try:
        shown = await tour(store, model, file)
    finally:
        await client.stop(store)
    print(json.dumps(shown))


if __name__ == "__main__":
    asyncio.run(_main(*map(Path, sys.argv[1:])))
