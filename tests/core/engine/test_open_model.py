"""Models that also see images are opened, and their text is that of the whole model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from core.engine.load import load_model
from core.engine.open_model import open_weights, read_config
from core.engine.same_model import refuse_far_larger, refuse_other_weights
from core.errors import CornerstoneError
from core.models.folder_check import check_folder, layers_held
from core.models.lookup import ModelSource, look_up
from tests.support.quantized import with_tokenizer
from tests.support.small_model import change_config, small_model
from tests.support.tiny_wrappers import LAYERS, VOCABULARY, WRAPPERS, tiny_wrapper

TOKENS = torch.arange(9)[None] + 5


@pytest.mark.parametrize("name", WRAPPERS)
def test_the_text_of_a_model_that_also_sees_is_opened(name: str, tmp_path: Path) -> None:
    whole = tiny_wrapper(name)
    whole.save_pretrained(tmp_path)
    weights = check_folder(tmp_path)
    assert layers_held(weights) == LAYERS
    config = read_config(tmp_path)
    assert refuse_far_larger(config, tmp_path, sum(weight.size for weight in weights.values())) == VOCABULARY
    model, found = open_weights(tmp_path, config, dtype=torch.float32, use_safetensors=True)
    refuse_other_weights(config, tmp_path, found)
    with torch.inference_mode():
        torch.testing.assert_close(model(input_ids=TOKENS).logits, whole(input_ids=TOKENS).logits)


@pytest.mark.parametrize("name", ["mistral3", "llama4", "qwen3_5"])
def test_its_players_are_those_of_the_text(name: str, tmp_path: Path) -> None:
    whole = tiny_wrapper(name)
    whole.save_pretrained(tmp_path)
    with_tokenizer(tmp_path)
    source = look_up(str(tmp_path), revision=None, offline=True)
    assert isinstance(source, ModelSource)
    loaded = load_model(source, device="cpu")
    assert len(loaded.layout.layers) == LAYERS
    assert len(loaded.players) == 2 * LAYERS
    assert loaded.record.family == name


@pytest.mark.parametrize("name", ["mistral3", "llama4"])
def test_a_weight_of_the_text_that_is_missing_or_left_over_is_refused(name: str, tmp_path: Path) -> None:
    tiny_wrapper(name).save_pretrained(tmp_path)
    file = tmp_path / "model.safetensors"
    weights = load_file(file)
    norm = next(one for one in weights if one.endswith("layers.1.input_layernorm.weight") and "vision" not in one)
    for changed in (
        {key: weight for key, weight in weights.items() if key != norm},
        {**weights, norm.replace("input_layernorm", "q_norm"): weights[norm].clone()},
    ):
        save_file(changed, file, metadata={"format": "pt"})
        config = read_config(tmp_path)
        _, found = open_weights(tmp_path, config, dtype=torch.float32)
        with pytest.raises(CornerstoneError, match="norm"):
            refuse_other_weights(config, tmp_path, found)


def test_a_configuration_that_asks_for_a_far_larger_text_is_refused(tmp_path: Path) -> None:
    whole = tiny_wrapper("mistral3")
    whole.save_pretrained(tmp_path)
    held = sum(weight.size for weight in check_folder(tmp_path).values())
    config = read_config(tmp_path)
    config.text_config.intermediate_size = 2**20
    with pytest.raises(CornerstoneError, match=r"asks for .* weights, but its files hold"):
        refuse_far_larger(config, tmp_path, held)
    change_config(tmp_path, text_config={**config.text_config.to_dict(), "num_hidden_layers": 900})
    with pytest.raises(CornerstoneError, match="asks for 900 layers, but the files beside it hold 3"):
        check_folder(tmp_path)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "t5"}, "is an encoder-decoder"),
        ({"model_type": "roberta"}, "is an encoder"),
        ({"architectures": ["LlamaForCausalLMEagle"]}, "is a draft head"),
        ({"model_type": "clip"}, "writes no text"),
        ({"model_type": "unheard"}, "is not part of transformers"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_other_kinds_are_refused_before_any_weight_is_read(
    config: dict[str, object], said: str, tmp_path: Path
) -> None:
    model = small_model(tmp_path / "model")
    change_config(model, **config)
    (model / "model.safetensors").write_bytes(b"no weights")
    with pytest.raises(CornerstoneError, match=said):
        check_folder(model)
