from __future__ import annotations

import pytest

from core.errors import CornerstoneError
from tests.support import example_state as example
from tui.explorer.find_player import find_player


@pytest.mark.parametrize(
    ("text", "near", "label"),
    [
        ("FFN 11", 0, "FFN 11"),
        ("ffn 11", 0, "FFN 11"),
        ("attn 3", 1, "Attn 3"),
        ("  a3 ", 1, "Attn 3"),
        ("f 07", 0, "FFN 7"),
        ("11", 0, "Attn 11"),
        ("11", 1, "FFN 11"),
        ("0", 59, "FFN 0"),
    ],
)
def test_a_short_name_finds_its_player(text: str, near: int, label: str) -> None:
    players = example.players()
    assert players[find_player(text, players, near)].label == label


@pytest.mark.parametrize(
    ("layers", "text", "label"),
    [
        (example.FOUR, "attn 2", "Attn 2a"),
        (example.FOUR, "attn 2b", "Attn 2b"),
        (example.FOUR, "ffn 2", "MoE 2"),
        (example.DENSE_FIRST, "ffn 3", "MoE 3"),
        (example.HYBRID, "1", "SSM 1"),
        (example.EXPERTS, "e 2.13", "Expert 2.13"),
        (example.EXPERTS, "expert 2.1", "Expert 2.1"),
    ],
)
def test_siblings_of_attention_and_ffn_are_found(layers: example.Layers, text: str, label: str) -> None:
    players = example.players(layers)
    found = find_player(text, players, 0)
    assert players[found].label == label


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("30", "there is no layer 30: the last one is 29"),
        ("x", "write a layer's number, or its name such as FFN 11"),
        ("", "write a layer's number, or its name such as FFN 11"),
        ("ssm 3", "no layer named 'ssm 3'"),
        ("[red]3[/]", "write a layer's number"),
        ("9999999999", "write a layer's number"),
    ],
)
def test_what_is_no_layer_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(CornerstoneError, match=said.replace("[", r"\[")):
        find_player(text, example.players(), 0)
