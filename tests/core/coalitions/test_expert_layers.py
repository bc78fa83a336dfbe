from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.coalitions.expert_layers import ALL_LAYERS, chosen_layers, in_ranges, normal_layers, refuse_too_many
from core.coalitions.players import Kinds
from core.errors import CornerstoneError

KINDS: Kinds = (("attn", "ffn"), *(("attn", "moe"),) * 3, ("ssm",), ("attn", "moe"))


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("all", "all"),
        (" ALL ", "all"),
        ("3", "3"),
        ("7,3, 5-6 ,6", "3,5-7"),
        ("0-0", "0"),
        ("009", "9"),
        ("1,2", "1-2"),
    ],
)
def test_layers_have_one_normal_form(written: str, normal: str) -> None:
    assert normal_layers(written) == normal


@pytest.mark.parametrize("text", ["", ",", "x", "3-", "-3", "5-3", "1.5", "3;4", "10000", "0-99999999", "٣", "3 4"])
def test_other_texts_are_no_layers(text: str) -> None:
    with pytest.raises(CornerstoneError, match="names no layers; write all, or numbers and ranges such as 3,5-7"):
        normal_layers(text)


@given(st.sets(st.integers(0, 99), min_size=1))
def test_ranges_stand_for_the_same_layers(layers: set[int]) -> None:
    text = in_ranges(layers)
    assert normal_layers(text) == text
    assert chosen_layers(text, [("attn", "moe")] * 100) == tuple(sorted(layers))


def test_the_layers_of_a_model_are_found_or_refused() -> None:
    assert chosen_layers(ALL_LAYERS, KINDS) == (1, 2, 3, 5)
    assert chosen_layers("5,1", KINDS) == (1, 5)
    with pytest.raises(CornerstoneError, match=r"no layer 6 of experts: the model has layers 0 to 5$"):
        chosen_layers("1-6", KINDS)
    with pytest.raises(CornerstoneError, match=r"layer 4 has no mixture .*; the layers that have one are 1-3,5$"):
        chosen_layers("3-5", KINDS)
    with pytest.raises(CornerstoneError, match="no layer of this model has a mixture of experts"):
        chosen_layers(ALL_LAYERS, KINDS[:1])


def test_thousands_of_experts_are_players_only_where_their_layers_are_named() -> None:
    refuse_too_many(ALL_LAYERS, [500, 500])
    refuse_too_many("0-1", [500, 501])
    with pytest.raises(CornerstoneError, match=r"^2 layers have 1 001 experts, and more than 1 000 are players only"):
        refuse_too_many(ALL_LAYERS, [500, 501])
