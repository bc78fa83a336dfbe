from __future__ import annotations

import pytest

from core.coalitions.players import Removed, format_removed, players_of
from tui.drawing.coalition_name import coalition_name

PLAYERS = players_of([("attn", "ffn")] * 30)


@pytest.mark.parametrize(
    ("removed", "name"),
    [
        ((), "intact"),
        ((3,), "FFN 1"),
        ((0, 1, 2, 3), "Attn 0, FFN 0, Attn 1, FFN 1"),
        ((0, 1, 2, 3, 4), "Attn 0 to Attn 2"),
        ((0, 1, 2, 6, 7, 9), "Attn 0 to Attn 1, Attn 3, FFN 3, FFN 4"),
        (tuple(range(60)), "Attn 0 to FFN 29"),
        ((0, 2, 4, 6, 8), "Attn 0, Attn 1, Attn 2, Attn 3, Attn 4"),
    ],
)
def test_neighbours_are_named_by_their_ends_where_there_are_many(removed: Removed, name: str) -> None:
    assert coalition_name(removed, format_removed(removed, PLAYERS).split(", ")) == name
