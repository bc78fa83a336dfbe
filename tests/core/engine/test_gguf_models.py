"""GGUF files of every architecture that can be written here give the model that they were written from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from core.engine.gguf import convert_gguf
from core.engine.gguf_config import ROPE_FACTORS
from core.errors import CornerstoneError
from core.models.folder_check import check_folder
from tests.support.any_gguf import KINDS, LAYERS

TOKENS = torch.arange(24)[None] * 7 % 250
# The divisors of Llama 3.1's frequencies for heads of 16, as llama.cpp writes them.
LLAMA_31 = {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
LLAMA_32 = {**LLAMA_31, "factor": 32.0}


def logits(model: torch.nn.Module) -> torch.Tensor:
    with torch.inference_mode():
        return model(input_ids=TOKENS).logits


def converted(path: Path) -> PreTrainedModel:
    """Convert a file, check the folder, and load the model from it as transformers does."""
    folder = path.with_suffix("")
    convert_gguf(path, folder)
    check_folder(folder)
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


@pytest.mark.parametrize("name", KINDS)
def test_a_file_gives_the_model_that_it_was_written_from(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    truth = kind.model()
    found = converted(kind.write(truth, tmp_path / "m.gguf"))
    torch.testing.assert_close(logits(found), logits(truth), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("starcoder2", {"sliding_window": None}, {"attention__sliding_window": None}),
        ("gemma2", {"num_hidden_layers": LAYERS, "query_pre_attn_scalar": 8}, {}),
        (
            "qwen2",
            {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 50_000.0}},
            {"rope__scaling__type": "linear", "rope__scaling__factor": 4.0},
        ),
        (
            "qwen3",
            {
                "rope_parameters": {
                    "rope_type": "yarn",
                    "factor": 4.0,
                    "original_max_position_embeddings": 32,
                    "rope_theta": 50_000.0,
                }
            },
            {"rope__scaling__type": "yarn", "rope__scaling__factor": 4.0, "rope__scaling__original_context_length": 32},
        ),
        (
            "gemma3",
            {
                "rope_parameters": {
                    "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
                    "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 50_000.0},
                }
            },
            {"rope__scaling__type": "linear", "rope__scaling__factor": 8.0},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_numbers_that_transformers_would_leave_out_count(
    name: str, settings: dict[str, Any], says: dict[str, Any], tmp_path: Path
) -> None:
    kind = KINDS[name]
    truth = kind.model(**settings)
    found = converted(kind.write(truth, tmp_path / "m.gguf", **says))
    torch.testing.assert_close(logits(found), logits(truth), atol=1e-5, rtol=1e-5)
    if settings.get("rope_parameters"):
        assert (logits(truth) - logits(kind.model())).abs().max() > 1e-3


def rope_factors(scaling: dict[str, Any], truth: PreTrainedModel) -> np.ndarray[Any, Any]:
    """Return by how much transformers divides each frequency of a model with a scaling."""
    plain = KINDS["llama"].model(max_position_embeddings=8192)
    scaled, before = (model.model.rotary_emb.inv_freq.numpy() for model in (truth, plain))
    assert scaling["factor"] == pytest.approx((before / scaled).max())
    return before / scaled


@pytest.mark.parametrize("scaling", [LLAMA_31, LLAMA_32], ids=["Llama 3.1", "Llama 3.2"])
def test_scaled_frequencies_of_llama_3_are_taken(scaling: dict[str, Any], tmp_path: Path) -> None:
    rope = {**scaling, "rope_theta": 50_000.0, "original_max_position_embeddings": 8192}
    truth = KINDS["llama"].model(rope_parameters=rope, max_position_embeddings=8192 * 8)
    factors = {ROPE_FACTORS: rope_factors(scaling, truth)}
    found = converted(KINDS["llama"].write(truth, tmp_path / "m.gguf", factors, context_length=8192 * 8))
    torch.testing.assert_close(logits(found), logits(truth), atol=1e-5, rtol=1e-5)
    assert found.config.rope_parameters["rope_type"] == "llama3"


def test_frequencies_that_are_not_scaled_are_no_fault(tmp_path: Path) -> None:
    truth = KINDS["llama"].model()
    found = converted(KINDS["llama"].write(truth, tmp_path / "m.gguf", {ROPE_FACTORS: np.ones(4)}))
    torch.testing.assert_close(logits(found), logits(truth), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "tensors", "says", "said"),
    [
        ("llama", {ROPE_FACTORS: np.array([1, 1, 3, 5])}, {}, r"scaled by rope_freqs\.weight in a way that no known"),
        ("phi3", {"rope_factors_long.weight": np.ones(4)}, {}, "it has a tensor that transformers leaves out"),
        ("llama", {}, {"rope__scaling__type": "longrope"}, "it scales rotary embeddings by 'longrope'"),
        ("llama", {}, {"attention__sliding_window": 16}, "says that llama.attention.sliding_window is 16"),
        ("llama", {}, {"logit_scale": 4.0}, r"says that llama\.logit_scale is 4\.0"),
        ("qwen2", {}, {"something_new": 3}, r"says that qwen2\.something_new is 3"),
        ("llama", {}, {"rope__dimension_count": 4, "attention__key_length": 8}, r"llama\.rope\.dimension_count is 4"),
        ("qwen3", {}, {"attention__value_length": 16}, r"qwen3\.attention\.value_length is 16"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_would_be_left_out_is_refused(
    name: str, tensors: dict[str, Any], says: dict[str, Any], said: str, tmp_path: Path
) -> None:
    kind = KINDS[name]
    path = kind.write(kind.model(), tmp_path / "m.gguf", tensors, **says)
    with pytest.raises(CornerstoneError, match=said) as raised:
        convert_gguf(path, tmp_path / "converted")
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "converted").exists()


def test_an_architecture_that_transformers_does_not_read_is_refused(tmp_path: Path) -> None:
    path = KINDS["llama"].write(KINDS["llama"].model(), tmp_path / "m.gguf")
    path.write_bytes(path.read_bytes().replace(b"llama", b"zebra"))
    with pytest.raises(CornerstoneError, match="architecture zebra is not supported"):
        convert_gguf(path, tmp_path / "converted")
