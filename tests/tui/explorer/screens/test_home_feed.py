"""When a large home screen reads the store again."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from core.coalitions.players import Removed
from store.rows import GroupRow
from tests.support.explorer import until
from tui.explorer.home_reading import HomeRows, Wanted
from tui.explorer.scope import Scope
from tui.explorer.screens import home_feed
from tui.explorer.screens.home_feed import HomeFeed

pytestmark = pytest.mark.asyncio


class Home(App[None]):
    """Keeps what a feed brings."""

    def __init__(self, store: Path) -> None:
        super().__init__()
        self._store = store
        self.came: list[HomeRows] = []

    def compose(self) -> ComposeResult:
        yield HomeFeed(lambda: self._store)

    def on_home_feed_came(self, message: HomeFeed.Came) -> None:
        self.came.append(message.rows)


async def test_another_coalition_does_not_wait_for_more_documents_of_the_one_before(
    full: tuple[Path, GroupRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(home_feed, "_EVERY_S", 10_000.0)
    path, group = full

    def wanted(removed: Removed, documents: int) -> Wanted:
        return Wanted(Scope(group.model_id, group.task_id, "acc"), removed, documents, 0)

    app = Home(path)
    async with app.run_test() as pilot:
        feed = app.query_one(HomeFeed)
        feed.want(wanted((0,), 1))
        await _comes(app, pilot, (0,))
        feed.want(wanted((0,), 2))  # read in hours
        feed.want(wanted((1,), 1))
        await _comes(app, pilot, (1,))


async def _comes(app: Home, pilot: Pilot[None], removed: Removed) -> None:
    await until(pilot, lambda: app.came and app.came[-1].wanted.removed == removed)
