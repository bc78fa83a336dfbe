"""The players that config.json tells are those that loading finds; a config that does not tell is known as such."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.coalitions.players import players_of
from core.models.families import expected_players
from tests.support.swept import layout_in_use
from tests.support.tiny_models import SETTINGS, tiny_model

LLAMA = {"model_type": "llama", "num_hidden_layers": 2}


@pytest.mark.parametrize("name", SETTINGS)
def test_players_are_those_of_the_loaded_model(name: str, tmp_path: Path) -> None:
    model = tiny_model(name)
    model.config.save_pretrained(tmp_path)
    loaded = players_of(layout_in_use(model).kinds)
    # Gemma 3 with images keeps the number of layers in a configuration of its own.
    assert expected_players(tmp_path) == (None if name == "gemma3" else loaded)


@pytest.mark.parametrize(
    "config",
    [
        {**LLAMA, "model_type": "bert"},
        {**LLAMA, "num_hidden_layers": "many"},
        {**LLAMA, "num_hidden_layers": True},
        {**LLAMA, "num_hidden_layers": 0},
        {"model_type": "llama", "n_layer": 2},
        {"model_type": "gpt2", "n_layer": 2, "num_hidden_layers": 3},
        [],
        None,
    ],
    ids=str,
)
def test_what_only_loading_tells_is_not_guessed(config: object, tmp_path: Path) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(json.dumps(config))
    assert expected_players(tmp_path) is None


def test_the_number_of_layers_has_its_own_name_in_gpt2(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2", "n_layer": 2, "num_hidden_layers": 2}))
    players = expected_players(tmp_path)
    assert players is not None
    assert [player.label for player in players] == ["Attn 0", "FFN 0", "Attn 1", "FFN 1"]
