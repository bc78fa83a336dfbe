from __future__ import annotations

import pytest

from core.errors import CornerstoneError
from core.players import format_removed, parse_removed, players_of
from core.schedules import ablation, hand_picked, windows

PLAYERS = players_of(("attn", "ffn") * 30)


def test_labels_follow_natural_order() -> None:
    assert [player.label for player in PLAYERS[:4]] == ["Attn 0", "FFN 0", "Attn 1", "FFN 1"]
    assert PLAYERS[59].layer == 29


@pytest.mark.parametrize(
    ("text", "removed"),
    [("Attn 0,FFN 3", (0, 7)), ("ffn3, attn 0", (0, 7)), ("FFN 1,FFN 1", (3,)), (" attn   29 ", (58,)), ("", ())],
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


def test_counts_of_coalitions() -> None:
    assert [len(windows(players, 4)) for players in (60, 64, 160)] == [235, 251, 635]
    assert len(ablation(60)) == 61
    assert windows(3, 8) == [(), (0,), (1,), (2,), (0, 1), (1, 2), (0, 1, 2)]
    assert hand_picked([(3,), (), (3,)]) == [(), (3,)]
