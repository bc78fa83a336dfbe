"""The screen that says something: its fields, bursts of keys, texts as they come, and what interrupts them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from core.engine.encoding import RequestEncoder
from core.engine.load import load_model
from core.evaluator.protocol import Said, Say, StopSaying
from core.models.lookup import ModelSource
from core.say.said import Dialogue, Voice
from core.say.speaker import Speaker
from tests.support import example_state as example
from tests.support.evaluator_process import config_of
from tests.support.explorer import exploring, until
from tests.support.screen_host import drawn, fill, settled, squashed
from tests.tui.explorer.screens.test_explore import Asked
from tests.tui.explorer.test_bursts import burst
from tui.explorer.prompt_history import history_path
from tui.explorer.screens.explore import ExploreScreen
from tui.explorer.screens.say import Given, SayScreen
from tui.explorer.state import State, after, lost
from tui.explorer.widgets.prompt_area import PromptArea
from tui.explorer.widgets.ticks import Tick

pytestmark = pytest.mark.asyncio

INTACT = Voice(text=" Paris.", tokens=2, top=((" Paris", 0.81), ("\n", 0.1), ("[/]", 0.0004)), end="end of text")
MASKED = Voice(text=" the the", tokens=2, top=((" the", 0.3),), end="length")


@asynccontextmanager
async def saying(
    tmp_path: Path, state: State | None = None, given: Given | None = None, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Asked, Pilot[None]]]:
    shown = example.state(removed=(1, 6)) if state is None else state
    app = Asked(tmp_path / "s.duckdb", replace(shown, connection="connected"))
    async with app.run_test(size=size) as pilot:
        app.push_screen(SayScreen(given))
        await settled(pilot)
        yield app, pilot


def asked(app: Asked) -> list[Say]:
    return [one for one in app.asked if isinstance(one, Say)]


def field(app: Asked, name: str) -> Input:
    return app.screen.query_one(f"#{name}", Input)


def status(app: Asked) -> str:
    return str(app.screen.query_one("#status", Static).content)


async def hear(app: Asked, pilot: Pilot[None], dialogue: Dialogue, *, ident: str | None = None, **more: object) -> None:
    """Let the evaluator tell what was said."""
    name = asked(app)[-1].ident if ident is None else ident
    said = Said.model_validate({"ident": name, "dialogue": dialogue, **more})
    app.state = after(app.state, said)
    await settled(pilot)


async def test_a_burst_of_text_and_enter_says_all_of_the_text(tmp_path: Path) -> None:
    async with saying(tmp_path) as (app, pilot):
        await burst(pilot, "=The capital of France is", "enter")
        (one,) = asked(app)
        assert one.ask.prompt == "The capital of France is"
        assert one.removed == (1, 6)
        assert (one.ask.tokens, one.ask.seed, one.ask.chat) == (40, None, None)


async def test_a_burst_from_home_fills_every_field(tmp_path: Path) -> None:
    async with saying(tmp_path) as (app, pilot):
        await burst(pilot, "escape", "w", "=quit", "tab", "ctrl+a", "ctrl+k", "=attn 2,ffn 0", "tab", "=7", "tab")
        await burst(pilot, "ctrl+a", "ctrl+k", "=9", "ctrl+t", "enter")
        (one,) = asked(app)
        assert one.ask.prompt == "quit"
        assert one.removed == (1, 4)
        assert (one.ask.tokens, one.ask.seed, one.ask.chat) == (9, 7, False)


@pytest.mark.slow
async def test_both_texts_and_their_candidates_are_drawn(tmp_path: Path) -> None:
    async with saying(tmp_path) as (app, pilot):
        await burst(pilot, "=x", "enter")
        await hear(app, pilot, Dialogue(intact=INTACT.model_copy(update={"end": None}), masked=MASKED))
        assert "writing; esc stops" in status(app)
        await hear(app, pilot, Dialogue(intact=INTACT, masked=MASKED, chat=True), ended=True)
        screen = drawn(pilot)
        for part in ("without FFN 0, Attn 3", "Paris.", "the the", "ended by the model after 2 tokens"):
            assert part in screen
        assert "␣Paris" in screen
        assert ".810 ██" in screen
        assert "⏎" in screen
        assert "<.001" in screen
        assert "greedy: always the likeliest token; in the chat template" in status(app)


async def test_white_space_alone_is_seen(tmp_path: Path) -> None:
    async with saying(tmp_path) as (app, pilot):
        await burst(pilot, "=x", "enter")
        blank = Voice(text="\n\n \n", tokens=4, end="length")
        await hear(app, pilot, Dialogue(intact=INTACT, masked=blank), ended=True)
        assert "⏎⏎␣⏎" in drawn(pilot)


async def test_hostile_text_stays_text(tmp_path: Path) -> None:
    hostile = "\x1b[31m[red]\u202e[/]\x07\x9b2J\ttab"
    voice = Voice(text=hostile * 3, tokens=3, top=((hostile, 0.5),), end="length")
    async with saying(tmp_path, given=Given(f"{hostile}\nsecond", None, ())) as (app, pilot):
        await burst(pilot, "enter")
        assert asked(app)[-1].ask.prompt == f"{hostile}\nsecond", "the model reads it to the letter"
        await hear(app, pilot, Dialogue(intact=voice, masked=voice), ended=True, fault=hostile)
        screen = drawn(pilot)
        assert "[red]" in screen
        assert not any(sign in screen for sign in "\x1b\u202e\x07\x9b")


async def test_a_long_text_is_broken_scrolls_and_stays_at_its_end(tmp_path: Path) -> None:
    words = " ".join(f"word{number}" for number in range(300))
    async with saying(tmp_path) as (app, pilot):
        await burst(pilot, "=x", "enter")
        await hear(app, pilot, Dialogue(intact=Voice(text=words, tokens=300), masked=Voice(text="好" * 200, tokens=9)))
        await settled(pilot)
        assert "word299" in drawn(pilot)
        assert "word0 " not in drawn(pilot)


async def test_escape_stops_first_and_goes_back_then(tmp_path: Path) -> None:
    async with saying(tmp_path) as (app, pilot):
        await burst(pilot, "=x", "enter", "escape")
        stop = app.asked[-1]
        assert isinstance(stop, StopSaying)
        assert stop.ident == asked(app)[0].ident
        await hear(app, pilot, Dialogue(intact=Voice(text="a", tokens=1)), ended=True)
        assert "stopped" in status(app)
        await settled(pilot, "escape")
        assert isinstance(app.screen, ExploreScreen)


async def test_what_another_explorer_asked_for_is_not_shown(tmp_path: Path) -> None:
    async with saying(tmp_path) as (app, pilot):
        await burst(pilot, "=x", "enter")
        await hear(app, pilot, Dialogue(intact=INTACT), ident="theirs", ended=True, fault="not mine")
        assert "Paris" not in drawn(pilot)
        await hear(app, pilot, Dialogue(intact=INTACT, masked=MASKED), ended=True)
        await hear(app, pilot, Dialogue(masked=MASKED), ident="theirs", ended=True)
        assert "Paris" in drawn(pilot)


async def test_a_fault_is_told_and_the_next_prompt_is_asked_for(tmp_path: Path) -> None:
    async with saying(tmp_path) as (app, pilot):
        await burst(pilot, "=x", "enter")
        await hear(app, pilot, Dialogue(), ended=True, fault="another prompt took its place")
        assert "another prompt took its place" in status(app)
        await burst(pilot, "enter")
        assert len(asked(app)) == 2


@pytest.mark.parametrize("begun", [False, True])
async def test_an_evaluator_that_goes_in_the_middle_is_told(begun: bool, tmp_path: Path) -> None:
    async with saying(tmp_path) as (app, pilot):
        await burst(pilot, "=x", "enter")
        if begun:
            await hear(app, pilot, Dialogue(intact=Voice(text="some words", tokens=2)))
        app.state = lost(app.state, "the evaluator is gone")
        await settled(pilot)
        assert "the evaluator is gone in the middle of it; ctrl+r starts it again" in status(app)
        assert ("some words" in drawn(pilot)) == begun
        app.state = replace(example.state(), connection="connected")
        await burst(pilot, "enter")
        assert len(asked(app)) == 2


@pytest.mark.slow
@pytest.mark.parametrize("early", ["no model", "stored results alone", "lost"])
async def test_what_is_said_before_the_model_is_open_waits_for_it(early: str, tmp_path: Path) -> None:
    before = {
        "no model": State(narration="loading big, 4.1 of 16.0 GB"),
        "stored results alone": replace(example.state(), stored=True, narration="loading big, 4.1 of 16.0 GB"),
        "lost": lost(example.state(), "gone"),
    }[early]
    async with saying(tmp_path, before) as (app, pilot):
        app.state = replace(app.state, connection=before.connection)
        await burst(pilot, "=x", "enter")
        assert not asked(app)
        assert ("ctrl+r starts it" if early == "lost" else "loading big, 4.1 of 16.0 GB") in status(app)
        await settled(pilot, "escape")
        app.state = replace(example.state(), connection="connected")
        await settled(pilot)
        assert not asked(app), "it was called off"
        app.state = replace(before, connection="starting")
        await burst(pilot, "enter")
        app.state = replace(example.state(removed=(1,)), connection="connected")
        await settled(pilot)
        assert [one.ask.prompt for one in asked(app)] == ["x"]


@pytest.mark.parametrize(
    ("name", "written", "sentence"),
    [
        ("without", "FFN 99", "no layer named 'FFN 99' in this model"),
        ("seed", "-1", "seed: a whole number from 0"),
        ("seed", "1" * 5000, "seed: a whole number from 0"),
        ("tokens", "0", "tokens: a whole number from 1 to 4 096"),
        ("tokens", "٣", "tokens: a whole number from 1 to 4 096"),
    ],
)
async def test_a_field_that_is_wrong_is_told_and_nothing_is_asked(
    name: str, written: str, sentence: str, tmp_path: Path
) -> None:
    async with saying(tmp_path) as (app, pilot):
        await burst(pilot, "=x")
        field(app, name).value = written
        await burst(pilot, "enter")
        assert sentence in status(app)
        assert not asked(app)
        field(app, name).value = ""
        await burst(pilot, "enter")
        assert asked(app)[0].removed == (() if name == "without" else (1, 6))


async def test_an_empty_prompt_is_refused(tmp_path: Path) -> None:
    async with saying(tmp_path) as (app, pilot):
        await burst(pilot, "enter")
        assert status(app) == "write a prompt first"
        assert not asked(app)


@pytest.mark.slow
async def test_up_and_down_walk_through_prompts_also_of_another_time(tmp_path: Path) -> None:
    async with saying(tmp_path) as (app, pilot):
        await burst(pilot, "=one", "enter", "ctrl+a", "ctrl+k", "=two", "ctrl+j", "=lines", "enter")
        await burst(pilot, "escape", "escape")
    assert history_path().stat().st_mode & 0o777 == 0o600
    async with saying(tmp_path) as (app, pilot):
        area = app.screen.query_one(PromptArea)
        await burst(pilot, "=draft", "up")
        assert area.text == "two\nlines"
        await burst(pilot, "up", "up")
        assert area.text == "one"
        await burst(pilot, "up", "down")
        assert area.text == "two\nlines"
        await burst(pilot, "down")
        assert area.text == "draft"


@pytest.mark.slow
async def test_a_documents_prompt_comes_as_its_model_has_read_it(tmp_path: Path) -> None:
    fill(tmp_path / "s.duckdb")
    async with saying(tmp_path, State()) as (app, pilot):
        await settled(pilot, "escape", "b", "down", "enter", "w")
        screen = app.screen
        assert isinstance(screen, SayScreen)
        assert screen.query_one(PromptArea).text
        assert not screen.query_one("#chat", Tick).value
        app.state = replace(example.state(removed=(1,)), connection="connected")
        await settled(pilot)
        assert "results of another model" in status(app)
        assert field(app, "without").value == "FFN 0"


async def test_a_documents_coalition_is_removed_where_its_model_is_open(tmp_path: Path) -> None:
    state = example.state(removed=())
    assert state.bench is not None
    async with saying(tmp_path, state, Given("x", state.bench.model_id, (0, 3))) as (app, pilot):
        await burst(pilot, "enter")
        assert asked(app)[0].removed == (0, 3)
        assert asked(app)[0].ask.chat is False


@pytest.mark.parametrize("size", [(80, 24), (120, 35), (200, 60), (40, 14)])
async def test_everything_is_in_sight_at_every_size(size: tuple[int, int], tmp_path: Path) -> None:
    async with saying(tmp_path, size=size) as (app, pilot):
        await burst(pilot, "=x", "enter")
        await hear(app, pilot, Dialogue(intact=INTACT, masked=MASKED), ended=True)
        screen = squashed(drawn(pilot))
        for part in ("Smol", "Paris.", "thethe", ".810", "greedy"):
            assert part in screen


_SLOWLY = """
import sys, time
from pathlib import Path
from core.evaluator import service
from core.evaluator.speech import Speech
from store.recorder import StoreRecorder
add_a_token = Speech._add_a_token
def slowly(*asked):
    time.sleep(0.03)
    add_a_token(*asked)
Speech._add_a_token = slowly
service.serve(Path(sys.argv[1]), StoreRecorder(Path(sys.argv[1])))
"""
"""An evaluator that is still writing a long text when a busy explorer has it stopped."""


async def test_a_real_evaluator_says_what_its_model_says_and_stops(tmp_path: Path, tiny_model_folder: Path) -> None:
    model = load_model(ModelSource("tiny", tiny_model_folder, "tiny", None))
    async with exploring(tmp_path / "s.duckdb", config_of(tiny_model_folder), ("-c", _SLOWLY)) as (app, pilot):
        await until(pilot, lambda: not app.state.stored)
        app.remove((2,))
        await pilot.press("w", *"keys", "tab", "tab", "5", "ctrl+t", "enter")
        await until(pilot, lambda: app.state.said is not None and app.state.said.ended)
        said, screen = app.state.said, app.screen
        assert said is not None
        assert isinstance(screen, SayScreen)
        *_, expected = Speaker(model, RequestEncoder(model)).say(screen._written(), (2,))
        assert (said.dialogue, said.fault) == (expected, "")
        assert said.dialogue.masked.tokens > 0
        await until(pilot, lambda: squashed("without Attn 1") in squashed(drawn(pilot)))
        screen.query_one("#tokens", Input).value = "480"
        await pilot.press("enter")
        await until(pilot, lambda: app.state.said is not None and app.state.said.dialogue.intact.tokens > 0)
        await pilot.press("escape")
        await until(pilot, lambda: app.state.said is not None and app.state.said.ended)
        assert app.state.said is not None
        assert app.state.said.dialogue.intact.tokens < 480
