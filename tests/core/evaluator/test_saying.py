"""Prompts that an evaluator continues: between the batches of a job, one at a time, and of the model asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config.run_config import RunConfig
from core.engine.encoding import RequestEncoder
from core.engine.load import load_model
from core.evaluator.protocol import (
    Cancel,
    Event,
    Open,
    Opened,
    Pause,
    Resume,
    Said,
    Say,
    Scored,
    ShutDown,
    StopSaying,
    Toggle,
)
from core.models.lookup import ModelSource
from core.say.said import Ask, Dialogue
from core.say.speaker import Speaker
from store.file.database import writing
from tests.core.evaluator.test_engine import PATIENCE_S, Running
from tests.support.evaluator_process import config_of, start

PROMPT = "The keys to the cabinet"
ALL = 450
"""Tokens that take a while, and fit into the tiny model's context."""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    path = tmp_path / "s.duckdb"
    with writing(path):
        pass
    one = Running(path)
    one.start()
    yield one
    one.stop()


@pytest.fixture
def config(tiny_model_folder: Path) -> RunConfig:
    return config_of(tiny_model_folder)


@pytest.fixture
def _token_by_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tell each token and take requests after it, so that a fast machine is not done before the first is taken."""
    monkeypatch.setattr("core.evaluator.engine._SAY_S", 0.0)
    monkeypatch.setattr("core.evaluator.speech._EVERY_S", 0.0)


def opened(running: Running, config: RunConfig) -> Opened:
    running.ask(Open(config=config))
    return running.expect(Opened)


def say(bench: Opened, ident: str = "one", removed: tuple[int, ...] = (2,), **how: object) -> Say:
    ask = Ask.model_validate({"prompt": PROMPT, "tokens": 12, "chat": False, **how})
    return Say(ident=ident, model_id=bench.model_id, removed=removed, ask=ask)


def is_said(event: Event) -> bool:
    """Return whether a prompt's first words are told."""
    return isinstance(event, Said) and event.dialogue.intact.tokens > 0


def end(running: Running, ident: str = "one") -> Said:
    return running.expect(Said, lambda said: said.ident == ident and said.ended)


def alone(folder: Path, request: Say) -> Dialogue:
    """Return what a model in this process says."""
    model = load_model(ModelSource("tiny", folder, "tiny", None))
    *_, last = Speaker(model, RequestEncoder(model)).say(request.ask, request.removed)
    return last


@pytest.mark.slow
def test_it_says_what_the_model_says_and_tells_the_end_once(
    running: Running, config: RunConfig, tiny_model_folder: Path
) -> None:
    bench = opened(running, config)
    request = say(bench, seed=4)
    running.ask(request)
    said = end(running)
    assert (said.dialogue, said.fault) == (alone(tiny_model_folder, request), "")
    assert said.dialogue.masked.tokens == 12


@pytest.mark.slow
def test_a_prompt_goes_on_while_a_job_sweeps_and_the_job_too(running: Running, config: RunConfig) -> None:
    bench = opened(running, config)
    running.ask(start(config_of(config.model, limit=120, schedule=("windows",))))
    running.job(1, "running")
    running.ask(say(bench))
    said = end(running)
    assert (said.dialogue.masked.tokens, said.fault) == (12, "")
    running.job(1, "running")
    running.ask(Pause(job=1))
    running.job(1, "paused")
    running.ask(say(bench, "two"))
    again = end(running, "two").dialogue
    # The layer in which the sweep was interrupted multiplies by another library, which rounds otherwise.
    assert [voice.text for voice in (again.intact, again.masked)] == [
        voice.text for voice in (said.dialogue.intact, said.dialogue.masked)
    ]
    running.ask(Resume(job=1))
    running.job(1, "running")
    running.ask(Cancel(job=1))
    running.job(1, "cancelled")


@pytest.mark.slow
def test_a_toggle_is_answered_while_a_long_text_is_written(running: Running, config: RunConfig) -> None:
    bench = opened(running, config)
    running.ask(say(bench, tokens=ALL), Toggle(task=bench.tasks[0].key, removed=(0,)))
    over: list[Scored | Said] = []
    while len(over) < 2:  # in either order
        event = running.told.get(timeout=PATIENCE_S)
        if (isinstance(event, Scored) and event.final) or (isinstance(event, Said) and event.ended):
            over.append(event)
    scored, said = sorted(over, key=lambda event: event.type, reverse=True)
    assert isinstance(scored, Scored)
    assert scored.point.removed == (0,)
    assert isinstance(said, Said)
    assert (said.dialogue.intact.tokens, said.fault) == (ALL, "")


@pytest.mark.usefixtures("_token_by_token")
def test_another_prompt_takes_the_place_of_the_last(running: Running, config: RunConfig) -> None:
    bench = opened(running, config)
    running.ask_at(is_said, say(bench, "two"))
    running.ask(say(bench, tokens=ALL))
    first = end(running)
    assert first.fault == "another prompt took its place"
    assert 0 < first.dialogue.intact.tokens < ALL
    assert end(running, "two").dialogue.intact.tokens == 12


@pytest.mark.slow
@pytest.mark.usefixtures("_token_by_token")
def test_it_is_stopped_by_its_own_name_alone(running: Running, config: RunConfig) -> None:
    bench = opened(running, config)
    running.ask_at(is_said, StopSaying(ident="another"), StopSaying(ident="one"))
    running.ask(say(bench, tokens=ALL))
    said = end(running)
    assert said.fault == ""
    assert 0 < said.dialogue.intact.tokens < ALL
    running.ask(StopSaying(ident="one"), say(bench, "two"))
    assert end(running, "two").fault == ""


def test_before_anything_is_open_it_is_refused_and_while_something_opens_it_waits(
    running: Running, config: RunConfig
) -> None:
    bench = opened(running, config)
    other = Running(running.store.with_name("other.duckdb"))
    other.start()
    try:
        other.ask(say(bench))
        assert "no model is open" in end(other).fault
        other.ask(Open(config=config), say(bench, "two"))
        assert end(other, "two").dialogue.masked.tokens == 12
    finally:
        other.stop()


@pytest.mark.slow
@pytest.mark.usefixtures("_token_by_token")
def test_the_model_that_was_asked_for_must_be_open(running: Running, config: RunConfig, tmp_path: Path) -> None:
    from tests.support.small_model import small_model

    bench = opened(running, config)
    running.ask_at(is_said, Open(config=config_of(small_model(tmp_path / "small"))))
    running.ask(say(bench, tokens=ALL))
    assert end(running).fault == "another model was opened in its place"
    other = running.expect(Opened)
    running.ask(say(bench, "two"))
    assert end(running, "two").fault == "another model was opened in its place"
    running.ask(say(other, "three"))
    assert end(running, "three").fault == ""


@pytest.mark.slow
@pytest.mark.usefixtures("_token_by_token")
def test_the_same_model_with_other_tasks_goes_on(running: Running, config: RunConfig) -> None:
    bench = opened(running, config)
    running.ask_at(is_said, Open(config=config_of(config.model, "capitals")))
    running.ask(say(bench, tokens=ALL))
    running.expect(Opened)
    said = end(running)
    assert (said.dialogue.intact.tokens, said.fault) == (ALL, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"removed": (99,)}, "has only 8 players"),
        ({"tokens": 511}, "but the model's context has 512"),
    ],
)
def test_a_fault_is_told_to_who_asked_and_the_next_prompt_is_said(
    wrong: dict[str, object], sentence: str, running: Running, config: RunConfig
) -> None:
    bench = opened(running, config)
    running.ask(say(bench, **wrong))  # type: ignore[arg-type]
    assert sentence in end(running).fault
    running.ask(say(bench, "two"))
    assert end(running, "two").fault == ""


@pytest.mark.usefixtures("_token_by_token")
def test_an_evaluator_that_ends_ends_it_too(running: Running, config: RunConfig) -> None:
    bench = opened(running, config)
    running.ask_at(is_said, ShutDown())
    running.ask(say(bench, tokens=ALL))
    assert end(running).fault == "the evaluator has ended"
