"""Players are found without knowing the family; what the table says of twelve families is the independent truth."""

from __future__ import annotations

from functools import cache

import pytest
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from core.coalitions.players import PlayerKind
from core.engine.verified_layout import layout_of
from core.models.families import HINTS
from core.models.layout import Layout, Sublayer
from tests.support.decoder_types import tiny_decoder
from tests.support.odd_decoders import odd_decoder
from tests.support.tiny_models import SETTINGS, tiny_model

DTYPES = [torch.float32, torch.bfloat16]

Players = tuple[tuple[PlayerKind, str], ...]
"""Kinds of players, and the submodules that they are, joined by ``&``."""

ATTN, FFN, MOE = ("attn", "self_attn"), ("ffn", "mlp"), ("moe", "mlp")
ODD: dict[str, list[Players]] = {
    "bloom": [(("attn", "self_attention.dense"), ("ffn", "mlp.dense_4h_to_h"))] * 4,
    "codegen": [(("attn", "attn"), FFN)] * 4,
    "cohere": [(ATTN, FFN)] * 4,
    "falcon": [(("attn", "self_attention"), FFN)] * 4,
    "falcon_h1": [(("mixer", "mamba&self_attn"), ("ffn", "feed_forward"))] * 4,
    "gemma4_text": [(ATTN, FFN)] * 4,
    "gpt_oss": [(ATTN, MOE)] * 4,
    "granitemoeshared": [(ATTN, ("moe", "block_sparse_moe&shared_mlp"))] * 4,
    "inkling_text": [(ATTN, ("mixer", "mlp"))] * 4,
    "jamba": [(("ssm", "mamba"), ("ffn", "feed_forward")), (ATTN, ("moe", "feed_forward"))] * 2,
    "lfm2": [(("conv", "conv"), ("ffn", "feed_forward")), (ATTN, ("ffn", "feed_forward"))] * 2,
    "longcat_flash": [(("attn", "self_attn.0"), ("moe", "mlp&mlps.0"), ("attn", "self_attn.1"), ("ffn", "mlps.1"))] * 2,
    "mamba": [(("ssm", "mixer"),)] * 4,
    "nemotron_h": [(("ssm", "mixer"),), (("moe", "mixer"),), (("attn", "mixer"),), (("ffn", "mixer"),)],
    "qwen3_5_text": [(("linear", "linear_attn"), FFN), (ATTN, FFN)] * 2,
    "zamba2": [(("ssm", "mamba"),), (("ssm", "mamba_decoder.mamba"),)] * 2,
    "zaya": [(ATTN, MOE)] * 4,
}

model_of = cache(tiny_model)
odd_model_of = cache(odd_decoder)


def players(layout: Layout) -> list[Players]:
    return [tuple((part.kind, "&".join(part.parts)) for part in layer.sublayers) for layer in layout.layers]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", SETTINGS)
def test_what_is_found_is_what_the_table_says(name: str, dtype: torch.dtype) -> None:
    hint, parallel = HINTS[name], name in {"gpt_neox", "phi"}
    found = layout_of(tiny_model(name).to(dtype), {})
    assert found.path == hint.layers
    assert [layer.sublayers for layer in found.layers] == [hint.players] * 4
    assert all(layer.parallel is parallel and layer.passes and layer.returns is None for layer in found.layers)
    assert all(layer.last_alone is not parallel for layer in found.layers)
    assert found == layout_of(tiny_model(name).to(dtype), HINTS)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("name", ODD)
def test_layers_of_other_makes(name: str, dtype: torch.dtype) -> None:
    assert players(layout_of(odd_decoder(name).to(dtype), HINTS)) == ODD[name]


def test_what_prepares_a_player_is_known() -> None:
    assert layout_of(model_of("opt"), {}).layers[0].sublayers[1] == Sublayer("ffn", ("fc2",), ("fc1",))
    assert layout_of(odd_model_of("bloom"), {}).layers[0].sublayers[1].feeds == ("mlp.dense_h_to_4h",)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layers", [(0,), (3,), (0, 1, 2, 3)])
@pytest.mark.parametrize("left", [0.0, 1e-40, 1e-12])
def test_a_sublayer_without_effect_is_a_player_still(left: float, layers: tuple[int, ...], dtype: torch.dtype) -> None:
    model = tiny_model("llama")
    with torch.no_grad():
        for index in layers:
            model.model.layers[index].self_attn.o_proj.weight.mul_(left)
            model.model.layers[index].mlp.down_proj.weight.mul_(left)
    assert players(layout_of(model.to(dtype), {})) == [(ATTN, FFN)] * 4


def test_experts_without_effect_that_return_tokens_in_one_line_are_a_player_still() -> None:
    model = tiny_decoder("llama4_text")
    truth = players(layout_of(model, {}))
    with torch.no_grad():
        for weight in model.model.layers[1].feed_forward.parameters():
            weight.mul_(1e-5)
    assert players(layout_of(model, {})) == truth
    assert ("moe", "feed_forward") in truth[1]


class _Averaging(nn.Module):
    """An FFN whose output for a token is the mean of what it would return up to there."""

    def __init__(self, ffn: nn.Module) -> None:
        super().__init__()
        self.ffn = ffn

    def forward(self, hidden: Tensor) -> Tensor:
        out: Tensor = self.ffn(hidden)
        return out.cumsum(1) / torch.arange(1, out.shape[1] + 1, device=out.device)[None, :, None].to(out)


def test_an_ffn_that_mixes_tokens_is_no_ffn() -> None:
    model = tiny_model("llama")
    for layer in model.model.layers:
        layer.mlp = _Averaging(layer.mlp)
    assert players(layout_of(model, {})) == [(ATTN, ("mixer", "mlp"))] * 4
    # The table calls it an FFN, but it must not be computed for some tokens only.
    assert not any(layer.last_alone for layer in layout_of(model, HINTS).layers)


def test_the_model_is_as_before() -> None:
    model = tiny_model("gpt_neox")
    tokens = torch.tensor([[3, 4, 5, 6]])
    with torch.inference_mode():
        before = model(tokens).logits
        layout_of(model, {})
        assert torch.equal(model(tokens).logits, before)
    assert not any(_hooks(module) for module in model.modules())
    assert not any("forward" in vars(module) for module in model.modules())


def _hooks(module: nn.Module) -> int:
    return len(module._forward_hooks) + len(module._forward_pre_hooks)


def test_layers_are_looked_for_in_any_wrapper() -> None:
    model: PreTrainedModel = model_of("gemma3")
    assert layout_of(model, {}).path == "model.language_model.layers"
