"""What models say, as text: tokens with their white space seen, probabilities as bars, and why a text ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from core.say.said import Manner, Voice
from tui.drawing.numbers import decimal
from tui.drawing.plain import counted

_SEEN: Final = str.maketrans({" ": "␣", "\n": "⏎", "\t": "⇥"})
_BAR, _HALF = "█", "▌"
_TOKEN_PART: Final = 3
"""A token takes at most one of so many parts of a line."""
_LEAST: Final = 0.001


def token_text(token: str) -> str:
    """Return a token so that its white space is seen; other characters that are not are written as in ``\\x1b``."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in token.translate(_SEEN))


def top_lines(top: Sequence[tuple[str, float]], width: int, bar: str = "") -> list[Text]:
    """Return a line for each of the likeliest tokens: the token, its probability, and a bar as long as that.

    Args:
        top: tokens and probabilities, the likeliest first.
        width: cells of a line.
        bar: the style of the bars.
    """
    names = [token_text(token) for token, _ in top]
    column = min(max(map(cell_len, names), default=0), max(width // _TOKEN_PART, 4))
    room = max(width - column - len(" .000 "), 0)
    lines = []
    for name, (_, probability) in zip(names, top, strict=True):
        fitted = name if cell_len(name) <= column else f"{set_cell_size(name, column - 1)}…"
        line = Text(f"{set_cell_size(fitted, column)} {probability_text(probability):>5} ", no_wrap=True)
        halves = round(2 * room * probability)
        line.append(_BAR * (halves // 2) + _HALF * (halves % 2), bar)
        lines.append(line)
    return lines


def probability_text(probability: float) -> str:
    """Return ``.479``, or ``<.001`` for one that is less."""
    return decimal(probability) if probability >= _LEAST else f"<{decimal(_LEAST)}"


def end_text(voice: Voice) -> str:
    """Return why a text ended, and after how many tokens."""
    tokens = counted(voice.tokens, "token")
    match voice.end:
        case "end of text":
            return f"ended by the model after {tokens}"
        case "length":
            return f"cut after {tokens}"
        case "no numbers":
            return f"the model gives no number after {tokens}, so that it cannot go on"
        case _:
            return tokens


def manner_text(manner: Manner) -> str:
    """Return how tokens are chosen: ``greedy``, or what they are drawn from."""
    if manner.seed is None:
        return "greedy: always the likeliest token"
    return f"drawn from all tokens (seed {manner.seed}, temperature {manner.temperature:g})"
