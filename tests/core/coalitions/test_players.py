from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.coalitions.players import format_removed, parse_removed, players_of, removed_set
from core.errors import CornerstoneError

PLAYERS = players_of(("attn", "ffn") * 30)


def test_labels_follow_natural_order() -> None:
    assert [player.label for player in PLAYERS[:4]] == ["Attn 0", "FFN 0", "Attn 1", "FFN 1"]
    assert PLAYERS[59].layer == 29


@pytest.mark.parametrize(
    ("text", "removed"),
    [
        ("Attn 0,FFN 3", (0, 7)),
        ("Attn 0, ffn 3", (0, 7)),
        ("ffn3, attn 0", (0, 7)),
        ("FFN 1,FFN 1", (3,)),
        (" attn   29 ", (58,)),
        ("", ()),
    ],
)
def test_removed_sets_are_read_as_people_write_them(text: str, removed: tuple[int, ...]) -> None:
    assert parse_removed(text, PLAYERS) == removed


def test_an_ffn_name_also_means_a_mixture_of_experts() -> None:
    moe = players_of(("attn", "moe") * 2)
    assert parse_removed("MoE 1", moe) == parse_removed("FFN 1", moe) == (3,)
    assert format_removed((0, 3), moe) == "Attn 0, MoE 1"
    assert format_removed((), moe) == "intact"


@pytest.mark.parametrize("text", ["Attn 30", "MLP 0", "FFN", "Attn -1", "Attn 0 FFN 1"])
def test_an_unknown_layer_is_named(text: str) -> None:
    with pytest.raises(CornerstoneError, match=text):
        parse_removed(text, PLAYERS)


def test_a_close_name_is_suggested_and_the_players_are_told() -> None:
    with pytest.raises(CornerstoneError) as raised:
        parse_removed("Attn 0, Atn 3", PLAYERS)
    assert str(raised.value) == (
        "no layer named 'Atn 3' in this model, whose players are Attn 0 to FFN 29; did you mean Attn 3?"
    )
    with pytest.raises(CornerstoneError, match=r"whose players are Attn 0 to MoE 1$"):
        parse_removed("norm", players_of(("attn", "moe") * 2))


@given(st.sets(st.integers(0, 59)))
def test_what_is_written_can_be_read_back(numbers: set[int]) -> None:
    removed = removed_set(numbers)
    assert removed == tuple(sorted(numbers))
    written = format_removed(removed, PLAYERS)
    assert parse_removed("" if written == "intact" else written, PLAYERS) == removed
