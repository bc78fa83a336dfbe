"""The remedy of each error, in the words of the command line and of the explorer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from core.errors import CornerstoneError, Mend
from tui.drawing.mends import command_line_text, explorer_sentence, explorer_text
from tui.explorer.actions import GROUPS


@pytest.mark.parametrize("mend", Mend)
def test_every_mend_is_worded_by_both_front_ends(mend: Mend) -> None:
    error = CornerstoneError("something is wrong", mend)
    for said in (command_line_text(error), explorer_text(error)):
        assert re.fullmatch(r"something is wrong; \S.*", said)
    assert explorer_sentence(str(error), mend, None) == explorer_text(error)


@pytest.mark.parametrize("mend", Mend)
def test_the_explorer_names_keys_that_it_has(mend: Mend) -> None:
    keys = {key for actions in GROUPS.values() for action in actions for key in action.keys.split(",")}
    named = set(re.findall(r"\bctrl\+\w|(?:^|; )[a-z](?= )", explorer_sentence("", mend, None)))
    assert {key.removeprefix("; ") for key in named} <= keys


def test_what_the_message_says_itself_is_left_as_it_is() -> None:
    error = CornerstoneError("no task 'agrement'; did you mean agreement?")
    assert command_line_text(error) == explorer_text(error) == str(error)


def test_what_is_gone_is_started_in_the_words_of_each() -> None:
    error = CornerstoneError("the evaluator is gone", Mend.START_EVALUATOR)
    assert str(error) == "the evaluator is gone"
    assert command_line_text(error) == "the evaluator is gone; `cornerstone` starts it again"
    assert explorer_text(error) == "the evaluator is gone; ctrl+r starts it again"


def test_the_commands_that_mend_a_store_name_it() -> None:
    file = Path("my results.duckdb")
    error = CornerstoneError("the store is damaged", Mend.SALVAGE_STORE, file)
    for said in (command_line_text(error), explorer_text(error)):
        assert "`cornerstone store check 'my results.duckdb'` tells more" in said
        assert "`cornerstone store salvage 'my results.duckdb' -o NEW`" in said
    unknown = CornerstoneError("the store is damaged", Mend.SALVAGE_STORE)
    assert "`cornerstone store check STORE`" in command_line_text(unknown)
