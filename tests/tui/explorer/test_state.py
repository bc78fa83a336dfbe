"""Messages of the evaluator, in the words of the explorer."""

from __future__ import annotations

from dataclasses import replace

from core.errors import Mend
from core.evaluator.protocol import Hello, MemoryWasShort, Refusal, Toggle
from tests.support import example_state as example
from tui.explorer.session import Session
from tui.explorer.state import State, after, ends_another, from_store, lost


def test_a_refusal_says_what_happened_and_which_key_mends_it() -> None:
    refused = Refusal(text="the evaluator is gone", mend=Mend.START_EVALUATOR)
    assert after(State(), refused).notice == "the evaluator is gone; ctrl+r starts it again"
    assert after(State(), Refusal(text="no layer named 'Attn 99'")).notice == "no layer named 'Attn 99'"


def test_a_refused_coalition_is_told_until_another_is_removed_or_its_score_comes() -> None:
    state = example.state(scored=None)
    mine = Toggle(task=str(state.task), removed=state.removed)
    theirs = mine.model_copy(update={"removed": (1,)})
    refused = after(state, Refusal(text="the disk is full", toggle=mine))
    assert (refused.refused, refused.notice) == ("the disk is full", "the disk is full")
    assert after(refused, Refusal(text="job 3 has no such task")).refused == "the disk is full"
    assert not after(refused, example.scored(state.removed)).refused
    assert not ends_another(state, Refusal(text="the disk is full", toggle=mine))
    assert not ends_another(state, Refusal(text="the disk is full"))
    assert ends_another(state, Refusal(text="the disk is full", toggle=theirs))
    assert ends_another(state, example.scored((1,)))


def test_what_needs_a_model_is_told_how_far_its_opening_is() -> None:
    assert State().not_open == "the evaluator is starting; this needs the model"
    loading = State(connection="connected", narration="loading smollm2 (40 of 270 MB)")
    assert loading.not_open == "loading smollm2 (40 of 270 MB); this needs the model"
    assert State(connection="connected").not_open.startswith("nothing is open yet; m ")


def test_trouble_that_is_over_is_told_no_more() -> None:
    assert not after(State(notice="the store is in use"), Refusal(text="")).notice


def test_short_memory_is_told_without_an_option_that_the_explorer_lacks() -> None:
    assert after(State(), MemoryWasShort()).notice == "memory was short; the sweep goes on in smaller chunks"


def test_a_damaged_store_is_named_in_the_commands_that_mend_it() -> None:
    state = after(State(), Hello(protocol=1, version="1", pid=1, store="/data/mine.duckdb", busy=False))
    notice = after(state, Refusal(text="the store is damaged", mend=Mend.SALVAGE_STORE)).notice
    assert "`cornerstone store salvage /data/mine.duckdb -o NEW`" in notice


def test_the_end_of_the_evaluator_stays_told_while_stored_results_are_read_again() -> None:
    gone = lost(example.state(), "the evaluator has ended")
    assert gone.bench is not None
    shown = from_store(gone, gone.bench, gone.charts.values(), Session(config=gone.bench.config))
    assert shown.stored
    assert shown.notice == "the evaluator has ended"


def test_what_was_removed_is_there_again_once_its_model_is_open_again() -> None:
    mine = example.state(removed=(0, 7))
    assert mine.bench is not None
    record = replace(mine.bench.model, fingerprint="e" * 64)
    theirs = after(mine, mine.bench.model_copy(update={"model": record, "model_id": "eeee"}))
    assert theirs.removed == ()
    assert theirs.scored is None
    back = after(replace(theirs, removed=(3,)), mine.bench)
    assert back.removed == (0, 7)
    assert after(back, theirs.bench or mine.bench).removed == (3,)
