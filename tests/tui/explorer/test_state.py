"""Messages of the evaluator, in the words of the explorer."""

from __future__ import annotations

from core.errors import Mend
from core.evaluator.protocol import Hello, MemoryWasShort, Refusal
from tui.explorer.state import State, after


def test_a_refusal_says_what_happened_and_which_key_mends_it() -> None:
    refused = Refusal(text="the evaluator is gone", mend=Mend.START_EVALUATOR)
    assert after(State(), refused).notice == "the evaluator is gone; ctrl+r starts it again"
    assert after(State(), Refusal(text="no layer named 'Attn 99'")).notice == "no layer named 'Attn 99'"


def test_trouble_that_is_over_is_told_no_more() -> None:
    assert not after(State(notice="the store is in use"), Refusal(text="")).notice


def test_short_memory_is_told_without_an_option_that_the_explorer_lacks() -> None:
    assert after(State(), MemoryWasShort()).notice == "memory was short; the sweep goes on in smaller chunks"


def test_a_damaged_store_is_named_in_the_commands_that_mend_it() -> None:
    state = after(State(), Hello(protocol=1, version="1", pid=1, store="/data/mine.duckdb", busy=False))
    notice = after(state, Refusal(text="the store is damaged", mend=Mend.SALVAGE_STORE)).notice
    assert "`cornerstone store salvage /data/mine.duckdb -o NEW`" in notice
