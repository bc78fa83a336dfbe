"""Sessions with something wrong in them: the explorer begins with the quickstart and says why."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from core.config.run_config import RunConfig, load_config
from tests.support import example_state as example
from tests.support.bad_inputs import bad_sessions
from tui.explorer.app import Explorer
from tui.explorer.session import Session, last_session, read_session, remember, session_path
from tui.explorer.state import resumed

QUICKSTART = Session(config=load_config(Path("quickstart"), {}))
OWN = Session(config=RunConfig.model_validate({"tasks": "capitals"}), model_id="abc", task="capitals", removed=(1, 2))


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
