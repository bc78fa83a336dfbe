from __future__ import annotations

from bisect import bisect_right
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.coalitions.players import Kinds, PlayerKind, players_of
from tui.drawing.kinds import LOOKS, MIXERS, in_order, row_name
from tui.drawing.slots import slots_of

KINDS: tuple[PlayerKind, ...] = get_args(PlayerKind)
sublayers: st.SearchStrategy[list[PlayerKind]] = st.lists(
    st.sampled_from([kind for kind in KINDS if kind != "expert"]), max_size=3
)
layers = st.builds(
    lambda before, experts, after: (*before, *("expert",) * experts, *after),
    sublayers,
    st.one_of(st.just(0), st.integers(1, 70)),
    sublayers,
)
models: st.SearchStrategy[Kinds] = st.lists(layers.filter(bool), min_size=1, max_size=12).map(tuple)


@pytest.mark.parametrize(
    ("kinds", "rows"),
    [
        ((("attn", "ffn"), ("attn", "moe")), [[0, 1], [0, 1]]),
        ((("ssm",), ("ssm",)), [[0], [0]]),
        ((("ssm",), ("moe",), ("attn",), ("ffn",)), [[0], [1], [0], [1]]),
        ((("ffn",), ("ssm",)), [[1], [0]]),
        ((("attn", "moe", "attn", "ffn"),) * 2, [[0, 1, 2, 3]] * 2),
        ((("linear", "ffn"), ("mixer", "linear", "moe"), ("attn", "moe")), [[1, 2], [0, 1, 2], [1, 2]]),
        ((("attn", "ffn"), (), ("attn",)), [[0, 1], [0]]),
    ],
)
def test_players_that_do_the_same_share_a_row(kinds: Kinds, rows: list[list[int]]) -> None:
    players = players_of(kinds)
    slots = slots_of(players)
    assert [slots.cells[player.number] for player in players] == [
        (layer, row)
        for layer, its in zip([at for at, own in enumerate(kinds) if own], rows, strict=True)
        for row in its
    ]
    assert slots.rows == 1 + max(row for its in rows for row in its)


@given(models)
def test_every_player_has_a_cell_of_its_own_in_the_order_of_running(kinds: Kinds) -> None:
    players = players_of(kinds)
    slots = slots_of(players)
    assert len(set(slots.cells)) == len(players)
    assert list(slots.cells) == sorted(slots.cells)
    assert [bisect_right(slots.firsts, column) - 1 for column, _ in slots.cells] == [p.layer for p in players]
    for row in range(slots.rows):
        mixers = {players[at].kind in MIXERS for (_, its), at in slots.players.items() if its == row}
        assert len(mixers) == 1
    for player in players:
        assert 0 <= slots.aside(player.number) < slots.aside(player.number, 0.5) < 1
        right, left = slots.beside(player.number, 1), slots.beside(player.number, -1)
        assert slots.cells[right][1] == slots.cells[left][1] == slots.cells[player.number][1]
        assert right == player.number or slots.beside(right, -1) == player.number


def test_experts_fill_a_few_rows_of_several_columns() -> None:
    slots = slots_of(players_of([("attn", "ffn"), ("attn", *("expert",) * 6), ("attn", *("expert",) * 64)]))
    assert (slots.firsts, slots.rows, slots.layers, slots.columns) == ((0, 1, 3, 19), 5, 3, 19)
    assert slots.cells[:9] == ((0, 0), (0, 4), (1, 0), (1, 2), (1, 3), (1, 4), (2, 2), (2, 3), (2, 4))
    assert slots.cells[9:15] == ((3, 0), (3, 1), (3, 2), (3, 3), (3, 4), (4, 1))
    assert slots.numbered(5) == {0: 0, 1: 1, 3: 2}
    assert slots_of(players_of([("attn", *("expert",) * 64)] * 3)).step == 16
    assert slots.step == 1


def test_no_players_have_no_cells() -> None:
    slots = slots_of(())
    assert (slots.layers, slots.columns, slots.rows, slots.cells) == (0, 0, 0, ())


def test_kinds_are_told_apart_without_colour_and_with_it() -> None:
    marks = [look.mark for look in LOOKS.values()]
    assert list(LOOKS) == list(KINDS)
    assert len(set(marks)) == len({look.letter for look in LOOKS.values()}) == len(KINDS)
    assert len({look.hue for look in LOOKS.values()}) == len({look.short for look in LOOKS.values()}) == len(KINDS)
    for own in (MIXERS, frozenset(KINDS) - MIXERS):  # a row has only mixers, or none
        weights = [glyph for kind in own for glyph in LOOKS[kind].weights]
        assert len(set(weights)) == len(weights) == 4 * len(own)


def test_a_row_is_named_after_its_kind_or_after_what_its_kinds_do() -> None:
    assert row_name(["ssm", "ssm"]) == "SSM"
    assert row_name(["ssm", "attn"]) == "Mix"
    assert row_name(["moe", "ffn"]) == "FFN"
    assert row_name(["moe"]) == "MoE"
    assert in_order(["moe", "attn", "moe"]) == ["attn", "moe"]
