"""Sessions with something wrong in them: the explorer begins with the quickstart and says why."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Input

from core.config.run_config import RunConfig, load_config
from tests.support import example_state as example
from tests.support.bad_inputs import bad_sessions
from tests.support.screen_host import drawn, fill, settled
from tests.tui.explorer.test_bursts import burst
from tests.tui.explorer.test_snapshots import Still
from tui.explorer.app import Explorer
from tui.explorer.session import Session, last_session, read_session, remember, session_path
from tui.explorer.state import State, resumed
from tui.explorer.widgets.prompt_area import PromptArea
from tui.explorer.widgets.query_box import QueryBox

QUICKSTART = Session(config=load_config(Path("quickstart"), {}))
CAPITALS = RunConfig.model_validate({"tasks": "capitals"})
OWN = Session(config=CAPITALS, by_hand=8, model_id="abc", task="capitals", removed=(1, 2))


@pytest.mark.parametrize("seed", range(3))
def test_every_bad_session_is_the_quickstart_and_a_sentence(seed: int, tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    remember(store, OWN)
    path = session_path(store)
    assert read_session(store) == (OWN, None)
    for name, text in bad_sessions(seed, json.loads(path.read_bytes())):
        path.write_bytes(text)
        session, notice = read_session(store)
        assert session == QUICKSTART, name
        assert notice is not None, name
        assert str(path) in notice
        assert len(notice) < 600, name
        assert last_session(store) == QUICKSTART


def test_a_session_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    remember(store, OWN)
    path = session_path(store)
    content = json.loads(path.read_bytes())
    del content["by_hand"]
    path.write_text(json.dumps(content), encoding="utf-8")
    assert read_session(store) == (OWN.model_copy(update={"by_hand": None}), None)


def test_without_a_session_nothing_is_said(tmp_path: Path) -> None:
    assert read_session(tmp_path / "s.duckdb") == (QUICKSTART, None)


def test_a_session_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = session_path(tmp_path / "s.duckdb")
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    session, notice = read_session(tmp_path / "s.duckdb")
    assert session == QUICKSTART
    assert notice is not None
    assert "it is a pipe" in notice


@pytest.mark.parametrize("removed", [(10**6,), (-1,), (0, 10**30)])
def test_layers_that_the_model_lacks_are_not_removed_again(removed: tuple[int, ...]) -> None:
    state = replace(example.state(), removed=())
    assert state.bench is not None
    session = OWN.model_copy(update={"model_id": state.bench.model_id, "removed": removed})
    assert resumed(state, session).removed == ()
    known = session.model_copy(update={"removed": (0, 3)})
    assert resumed(state, known).removed == (0, 3)


class Quiet(Explorer):
    def listen(self) -> None:  # type: ignore[override]
        """No evaluator."""


async def test_the_explorer_says_what_it_could_not_read(tmp_path: Path) -> None:
    app = Quiet(tmp_path / "s", QUICKSTART, notice="x.json is no session (cut off); this is the quickstart")
    async with app.run_test() as pilot:
        await pilot.pause()
        assert ["x.json is no session" in notification.message for notification in app._notifications] == [True]


@pytest.mark.slow
async def test_the_results_browser_comes_back_as_it_was_left(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    fill(path)
    async with Still(path, State()).run_test() as pilot:
        await settled(pilot, "b", "t", "s", "escape")
    left = last_session(path)
    assert left.browsing.table == "ablation"
    assert left.browsing.sorted["ablation"].column == "player"
    async with _again(path, left).run_test() as pilot:
        await settled(pilot, "b")
        assert "player ↑" in drawn(pilot)


def _again(path: Path, left: Session) -> Still:
    again = Still(path, State())
    again._session = left
    return again


async def test_a_query_comes_back_and_is_not_run_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    fill(path)
    async with Still(path, State()).run_test() as pilot:
        await burst(pilot, ":", "=SELECT 1 AS one", "enter")
        await settled(pilot)
        await burst(pilot, "=, 2 AS two", "escape", "escape")
    async with _again(path, last_session(path)).run_test() as pilot:
        await settled(pilot, "colon")
        assert pilot.app.screen.query_one(QueryBox).text == "SELECT 1 AS one, 2 AS two"
        assert "rows" not in drawn(pilot).splitlines()[-2]
        await burst(pilot, "up")
        assert pilot.app.screen.query_one(QueryBox).text == "SELECT 1 AS one"


async def test_a_prompt_comes_back_with_its_seed_but_not_that_of_a_document(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    fill(path)
    async with Still(path, State()).run_test() as pilot:
        await burst(pilot, "w", "=two", "ctrl+j", "=lines", "tab", "tab", "=7", "tab", "ctrl+u", "ctrl+t", "escape")
    kept = last_session(path).saying
    assert (kept.prompt, kept.seed, kept.tokens, kept.chat) == ("two\nlines", "7", "", False)
    async with _again(path, last_session(path)).run_test() as pilot:
        await settled(pilot, "w")
        screen = pilot.app.screen
        assert screen.query_one(PromptArea).text == "two\nlines"
        assert [screen.query_one(f"#{name}", Input).value for name in ("seed", "tokens")] == ["7", ""]
        await settled(pilot, "escape", "b", "down", "enter", "w")
        assert pilot.app.screen.query_one(PromptArea).text.startswith("question")
        await settled(pilot, "escape")
    assert last_session(path).saying == kept
