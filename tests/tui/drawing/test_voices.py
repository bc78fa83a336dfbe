"""Tokens, probabilities and ends of texts as people read them."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from core.say.said import Manner, Voice
from tui.drawing.voices import end_text, manner_text, token_text, top_lines

TOP = ((" Paris", 0.5), ("\x1b[31m", 0.25), ("好" * 40, 0.1), ("\n", 0.0001), ("</s>", 0.0))


def test_white_space_and_control_characters_of_a_token_are_seen() -> None:
    assert token_text(" a\n\tb ") == "␣a⏎⇥b␣"
    assert token_text("\x04\x1b[0m\u202e\u2028[/]") == "\\x04\\x1b[0m\\u202e\\u2028[/]"


@pytest.mark.parametrize("width", [1, 8, 20, 37, 120])
def test_bars_are_as_long_as_probabilities_and_stay_in_their_line(width: int) -> None:
    lines = [line.plain for line in top_lines(TOP, width)]
    assert len(lines) == len(TOP)
    if width >= 20:
        assert all(cell_len(line) <= width for line in lines)
        assert abs(lines[0].count("█") - 2 * lines[1].count("█")) <= 2
        assert "<.001" in lines[3]
        assert "\x1b" not in lines[1]


def test_ends_and_manners_are_told() -> None:
    assert end_text(Voice(tokens=1, end="end of text")) == "ended by the model after 1 token"
    assert end_text(Voice(tokens=2, end="length")) == "cut after 2 tokens"
    assert "no number after 2 tokens" in end_text(Voice(tokens=2, end="no numbers"))
    assert end_text(Voice(tokens=3)) == "3 tokens"
    assert manner_text(Manner()) == "greedy: always the likeliest token"
    assert manner_text(Manner(seed=3, temperature=0.5)) == "drawn from all tokens (seed 3, temperature 0.5)"
