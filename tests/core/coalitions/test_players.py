from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.coalitions.players import (
    KIND_LABELS,
    LAYERS_BOUND,
    Kinds,
    PlayerKind,
    format_removed,
    in_pairs,
    kinds_by_layer,
    layers_of_experts,
    parse_removed,
    players_of,
    refuse_no_names,
    removed_set,
)
from core.errors import CornerstoneError, Mend

PLAYERS = players_of([("attn", "ffn")] * 30)
HYBRID = players_of([("ssm",), ("attn",), ("conv", "moe"), ("linear", "ffn"), ("mixer", "ffn", "moe")])
EXPERTS = players_of([("attn", "moe"), ("attn", *("expert",) * 40), ("attn", "expert")])
FOUR = players_of([("attn", "moe", "attn", "ffn")] * 2)

models: st.SearchStrategy[Kinds] = st.lists(
    st.lists(st.sampled_from(get_args(PlayerKind)), min_size=1, max_size=4).map(tuple), min_size=1, max_size=12
).map(tuple)


def test_labels_follow_the_order_of_running() -> None:
    assert [player.label for player in PLAYERS[:4]] == ["Attn 0", "FFN 0", "Attn 1", "FFN 1"]
    assert PLAYERS[59].layer == 29
    assert [player.label for player in HYBRID] == [
        "SSM 0", "Attn 1", "Conv 2", "MoE 2", "Linear 3", "FFN 3", "Mixer 4", "FFN 4", "MoE 4",
    ]  # fmt: skip
    assert [player.layer for player in HYBRID] == [0, 1, 2, 2, 3, 3, 4, 4, 4]


def test_players_of_one_kind_in_a_layer_have_letters() -> None:
    assert [player.label for player in FOUR[4:]] == ["Attn 1a", "MoE 1", "Attn 1b", "FFN 1"]
    assert parse_removed("attn1b, Attn 0 A", FOUR) == (0, 6)
    with pytest.raises(CornerstoneError, match=r"no layer named 'Attn 1' .*; did you mean Attn 1a or Attn 1b\?$"):
        parse_removed("Attn 1", FOUR)
    with pytest.raises(CornerstoneError, match=r"'MoE 1a' .*; did you mean MoE 1\?$"):
        parse_removed("MoE 1a", FOUR)


def test_experts_have_numbers() -> None:
    assert [player.label for player in EXPERTS] == [
        "Attn 0", "MoE 0", "Attn 1", *(f"Expert 1.{number}" for number in range(40)), "Attn 2", "Expert 2.0",
    ]  # fmt: skip
    assert parse_removed("expert 1.12, EXPERT2.0,Expert 01.002", EXPERTS) == (5, 15, 44)
    assert format_removed((3, 42), EXPERTS) == "Expert 1.0, Expert 1.39"
    assert layers_of_experts([("attn", "moe"), ("attn", "expert"), (), ("expert",)]) == (1, 3)


def test_all_experts_of_a_layer_are_no_player() -> None:
    for text in ("MoE 1", "FFN 1", "Expert 1"):
        with pytest.raises(CornerstoneError, match=rf"no layer named '{text}' .* mean Expert 1.0 to 39\?$"):
            parse_removed(text, EXPERTS)
    for text in ("Expert 1.40", "Expert 0.0", "Attn 1.0", "Expert 1.", "Expert 1.1.1"):
        with pytest.raises(CornerstoneError, match=f"no layer named '{text}'"):
            parse_removed(text, EXPERTS)


@pytest.mark.parametrize(
    ("text", "removed"),
    [
        ("Attn 0,FFN 3", (0, 7)),
        ("Attn 0, ffn 3", (0, 7)),
        ("ffn3, attn 0", (0, 7)),
        ("FFN 1,FFN 1", (3,)),
        (" attn   29 ", (58,)),
        ("attn 029", (58,)),
        ("", ()),
    ],
)
def test_removed_sets_are_read_as_people_write_them(text: str, removed: tuple[int, ...]) -> None:
    assert parse_removed(text, PLAYERS) == removed


def test_an_ffn_name_also_means_a_mixture_of_experts() -> None:
    moe = players_of([("attn", "moe")] * 2)
    assert parse_removed("MoE 1", moe) == parse_removed("FFN 1", moe) == (3,)
    assert format_removed((0, 3), moe) == "Attn 0, MoE 1"
    assert format_removed((), moe) == "intact"


def test_an_ffn_name_means_the_ffn_of_a_layer_that_has_both() -> None:
    assert parse_removed("FFN 0", FOUR) == (3,)
    assert parse_removed("FFN 4", HYBRID) == (7,)
    assert parse_removed("FFN 2", HYBRID) == parse_removed("moe2", HYBRID) == (3,)
    two = players_of([("attn", "moe", "moe")])
    assert parse_removed("FFN 0b", two) == (2,)
    with pytest.raises(CornerstoneError, match="SSM 1"):
        parse_removed("SSM 1", HYBRID)


@pytest.mark.parametrize("text", ["Attn 30", "MLP 0", "FFN", "Attn -1", "Attn 0 FFN 1", "SSM 0", "Attn 0ab"])
def test_an_unknown_layer_is_named(text: str) -> None:
    with pytest.raises(CornerstoneError, match=text):
        parse_removed(text, PLAYERS)


def test_a_number_of_any_length_is_refused_in_a_sentence() -> None:
    for text in ("Attn " + "9" * 5000, "Attn " + "0" * 9 + "1"):
        with pytest.raises(CornerstoneError, match="no layer named"):
            parse_removed(text, PLAYERS)


def test_a_close_name_is_suggested_and_the_players_are_told() -> None:
    with pytest.raises(CornerstoneError) as raised:
        parse_removed("Attn 0, Atn 3", PLAYERS)
    assert str(raised.value) == (
        "no layer named 'Atn 3' in this model, whose players are Attn 0 to FFN 29; did you mean Attn 3?"
    )
    with pytest.raises(CornerstoneError, match=r"whose players are Attn 0 to MoE 1$"):
        parse_removed("norm", players_of([("attn", "moe")] * 2))


@pytest.mark.parametrize("text", [f"{label} 3" for label in KIND_LABELS.values()] + ["ssm0", "Attn 3a", "FFN 10 b"])
def test_a_name_of_any_kind_may_be_of_some_model(text: str) -> None:
    refuse_no_names(text)


@pytest.mark.parametrize("text", ["Mamba 0", "Attn", "3", "Attn 3 4", "Attn 3-5", "Attn 0, norm 1"])
def test_a_name_that_no_model_has_is_refused_before_a_model_is_known(text: str) -> None:
    with pytest.raises(CornerstoneError, match="write Attn, SSM, Linear, Conv, Mixer, FFN, MoE or Expert and the"):
        refuse_no_names(text)


@given(st.sets(st.integers(0, 59)))
def test_what_is_written_can_be_read_back(numbers: set[int]) -> None:
    removed = removed_set(numbers)
    assert removed == tuple(sorted(numbers))
    written = format_removed(removed, PLAYERS)
    assert parse_removed("" if written == "intact" else written, PLAYERS) == removed


@given(models)
def test_every_player_of_any_model_has_its_own_name(kinds: Kinds) -> None:
    players = players_of(kinds)
    assert [player.number for player in players] == list(range(len(players)))
    assert len({player.label for player in players}) == len(players)
    for player in players:
        assert parse_removed(player.label.lower().replace(" ", ""), players) == (player.number,)
        refuse_no_names(player.label)


@given(models)
def test_kinds_by_layer_follow_from_the_players(kinds: Kinds) -> None:
    players = players_of(kinds)
    assert kinds_by_layer([player.kind for player in players], [player.layer for player in players]) == kinds


def test_models_of_before_have_two_players_a_layer() -> None:
    assert in_pairs(["attn", "moe", "attn", "ffn"]) == (("attn", "moe"), ("attn", "ffn"))
    assert in_pairs([]) == ()


@pytest.mark.parametrize("layers", [[0], [1, 0], [-1, 0], [0, LAYERS_BOUND], [0, 2**31 - 1], [0, 0, 0]])
def test_layers_that_no_players_have_are_refused(layers: list[int]) -> None:
    with pytest.raises(ValueError, match=r"layers|argument"):
        kinds_by_layer(["attn", "ffn"], layers)


def test_who_names_an_expert_of_a_whole_mixture_is_told_what_to_choose() -> None:
    players = players_of([("attn", "ffn"), ("attn", "moe")])
    for text, mend in (("Expert 1.0", Mend.CHOOSE_EXPERTS), ("Expert 0.0", None), ("Expert 1", None)):
        with pytest.raises(CornerstoneError, match="no layer named") as raised:
            parse_removed(text, players)
        assert raised.value.mend == mend
