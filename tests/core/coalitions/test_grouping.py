"""Groupings: every player in one unit, whatever the model."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.coalitions.grouping import grouping
from core.coalitions.players import PlayerKind, players_of
from core.errors import CornerstoneError

KINDS: tuple[PlayerKind, ...] = get_args(PlayerKind)
in_pairs = st.integers(1, 40).map(lambda layers: players_of([("attn", "ffn")] * layers))
in_layers = st.lists(st.sampled_from(KINDS), min_size=1, max_size=4)
models = st.one_of(in_pairs, st.lists(in_layers, min_size=1, max_size=12).map(players_of))
names = st.one_of(
    st.sampled_from(["sublayers", "layers", "kinds"]), st.integers(1, 50).map(lambda size: f"blocks:{size}")
)


@given(names, models, st.data())
def test_units_are_a_partition_and_removal_respects_unions(name: str, players: tuple, data: st.DataObject) -> None:
    made = grouping(name, players)
    members = [number for unit in made.units for number in unit.members]
    assert sorted(members) == list(range(len(players)))
    assert all(unit.members == tuple(sorted(unit.members)) and unit.members for unit in made.units)
    assert len(set(made.labels)) == len(made.units)
    assert [unit.members[0] for unit in made.units] == sorted(unit.members[0] for unit in made.units)
    some, others = (data.draw(st.sets(st.integers(0, len(made.units) - 1))) for _ in range(2))
    removed = [set(made.removed(tuple(sorted(units)))) for units in (some, others, some | others, some & others)]
    assert removed[0] | removed[1] == removed[2]
    assert removed[0] & removed[1] == removed[3]
    assert made.removed(()) == ()
    assert made.removed(tuple(range(len(made.units)))) == tuple(range(len(players)))


@given(models, st.data())
def test_sublayers_are_removed_as_they_are_numbered(players: tuple, data: st.DataObject) -> None:
    made = grouping("sublayers", players)
    removed = tuple(sorted(data.draw(st.sets(st.integers(0, len(players) - 1)))))
    assert made.removed(removed) == removed
    assert made.labels == tuple(player.label for player in players)


def test_what_units_are_called() -> None:
    players = players_of([("attn", "ffn")] * 7)
    assert grouping("layers", players).labels[:2] == ("Layer 0", "Layer 1")
    assert grouping("blocks:3", players).labels == ("Layers 0-2", "Layers 3-5", "Layer 6")
    assert grouping("blocks:3", players).units[1].members == (6, 7, 8, 9, 10, 11)
    assert grouping("kinds", players).labels == ("All attention", "All FFN")
    assert grouping("kinds", players_of([("attn", "moe")] * 2)).units[1].members == (1, 3)
    assert grouping("kinds", players_of([("attn", "moe")] * 2)).labels[1] == "All MoE"


def test_every_kind_of_player_is_a_unit_of_its_own() -> None:
    players = players_of([(kind,) for kind in KINDS])
    assert grouping("kinds", players).labels == (
        "All attention", "All SSM", "All linear attention", "All convolutions", "All mixers", "All FFN", "All MoE",
        "All experts",
    )  # fmt: skip
    assert [unit.kind for unit in grouping("kinds", players).units] == list(KINDS)


def test_experts_are_told_to_be_players_of_another_model() -> None:
    with pytest.raises(CornerstoneError, match=r"players of a model of their own, whose name ends in \+experts"):
        grouping("experts", players_of([("attn", "expert", "expert")]))


def test_layers_of_any_number_of_players_are_units() -> None:
    players = players_of([("ssm",), ("attn", "moe"), (), ("attn", "moe", "attn", "ffn"), ("ssm", "ffn", "moe")])
    layers = grouping("layers", players).units
    assert [unit.members for unit in layers] == [(0,), (1, 2), (3, 4, 5, 6), (7, 8, 9)]
    assert [unit.label for unit in layers] == ["Layer 0", "Layer 1", "Layer 3", "Layer 4"]
    assert [(unit.layer, unit.kind) for unit in layers] == [(0, "ssm"), (1, None), (3, None), (4, None)]
    blocks = grouping("blocks:2", players).units
    assert [(unit.label, unit.members) for unit in blocks] == [
        ("Layers 0-1", (0, 1, 2)), ("Layers 2-3", (3, 4, 5, 6)), ("Layer 4", (7, 8, 9)),
    ]  # fmt: skip
    assert [unit.layer for unit in grouping("sublayers", players).units] == [0, 1, 1, 3, 3, 3, 3, 4, 4, 4]


def test_blocks_have_one_name_however_written() -> None:
    players = players_of([("attn", "ffn")] * 4)
    assert grouping("blocks:02", players) == grouping("blocks:2", players)


@pytest.mark.parametrize("name", ["", "blocks", "blocks:0", "blocks:-1", "blocks:x", "blocks:²", "Layers", "heads"])
def test_an_unknown_grouping_is_told_what_there_is(name: str) -> None:
    with pytest.raises(CornerstoneError, match=r"use one of sublayers, layers, blocks:K, kinds"):
        grouping(name, players_of([("attn", "ffn")]))
