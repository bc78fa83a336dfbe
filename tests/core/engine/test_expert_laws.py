"""Laws of experts as players: what breaks one is refused by name, and how experts are computed does not matter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from core.coalitions.players import Removed
from core.engine.decoder import Decoder
from core.engine.expert_players import with_expert_players
from core.engine.load import load_model
from core.engine.packing import TokenRequest, pack
from core.engine.parameters import parameters_of
from core.engine.removal import removed_from
from core.errors import CornerstoneError
from core.models.layout import Layout
from core.models.lookup import ModelSource
from core.proxies.measure import measure_proxies
from tests.support.decoder_folder import decoder_folder
from tests.support.decoder_types import tiny_decoder
from tests.support.swept import layout_in_use, some_documents, swept

EXPERTS = 6
TOKENS = torch.arange(5, 45)[None]


class Wrapped(nn.Module):
    """The experts of a layer, with something else done before or after them."""

    def __init__(self, inner: nn.Module, forward: Callable[..., Tensor]) -> None:
        super().__init__()
        self.inner, self.num_experts, self._forward = inner, EXPERTS, forward

    def forward(self, hidden: Tensor, index: Tensor, weights: Tensor) -> Tensor:
        return self._forward(self.inner, hidden, index, weights)


def _sums_to_one(inner: nn.Module, hidden: Tensor, index: Tensor, weights: Tensor) -> Any:
    return inner(hidden, index, weights / weights.sum(dim=-1, keepdim=True).clamp_min(1e-9))


def _adds_more(inner: nn.Module, hidden: Tensor, index: Tensor, weights: Tensor) -> Any:
    return inner(hidden, index, weights) + hidden


def _by_others(inner: nn.Module, hidden: Tensor, index: Tensor, weights: Tensor) -> Any:
    return inner(hidden, index, weights) * weights.sum()


def _by_chance(inner: nn.Module, hidden: Tensor, index: Tensor, weights: Tensor) -> Any:
    return inner(hidden, index, weights) * torch.rand(())


@pytest.mark.parametrize(
    ("forward", "law"),
    [
        (_sums_to_one, "layer 2: what its experts add one by one must be what mlp.experts returns, but it is not"),
        (_adds_more, "layer 2: mlp.experts must add nothing without all of its 6 experts, but it does"),
        (_by_others, "layer 2: without expert . mlp.experts must change only tokens that are routed to it"),
        (_by_chance, "layer 2: mlp.experts must return the same for the same tokens, but it does not"),
    ],
)
def test_experts_that_break_a_law_are_refused_by_it(forward: Callable[..., Tensor], law: str) -> None:
    model = tiny_decoder("mixtral")
    layout = layout_in_use(model)
    experts = model.model.layers[2].mlp.experts
    model.model.layers[2].mlp.experts = Wrapped(experts, forward)
    with pytest.raises(CornerstoneError, match=rf"MixtralForCausalLM \(mixtral\) cannot be players: {law}"):
        with_expert_players(model, layout, "all")
    assert with_expert_players(model, layout, "0-1,3").layers[2] == layout.layers[2]


def test_a_mixture_whose_experts_nothing_computes_together_is_refused() -> None:
    class Alone(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.experts = nn.ModuleList(nn.Linear(32, 32) for _ in range(3))

        def forward(self, hidden: Tensor) -> Tensor:
            return torch.stack([expert(hidden) for expert in self.experts]).sum(dim=0)

    model = tiny_decoder("mixtral")
    for layer in model.model.layers:
        layer.mlp = Alone()
    with pytest.raises(CornerstoneError, match="layer 0: no module of its mixture computes all experts"):
        with_expert_players(model, layout_in_use(model), "all")


def test_thousands_of_experts_are_refused_with_their_count_unless_layers_are_named() -> None:
    model = tiny_decoder("qwen3_moe", num_experts=260)
    layout = layout_in_use(model)
    with pytest.raises(CornerstoneError, match=r"^4 layers have 1 040 experts, and more than 1 000"):
        with_expert_players(model, layout, "all")
    assert sum(len(layer.sublayers) for layer in with_expert_players(model, layout, "0-3").layers) == 4 * 261


@pytest.mark.parametrize("implementation", ["eager", "batched_mm", "grouped_mm"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_no_implementation_changes_what_a_removal_means(implementation: str, dtype: torch.dtype) -> None:
    model = tiny_decoder("qwen2_moe").to(dtype)
    model.set_experts_implementation(implementation)
    layout = with_expert_players(model, layout_in_use(model), "1")
    with torch.inference_mode():
        for expert in range(EXPERTS):
            with removed_from(model, layout, (_number(layout, 1, expert),)):
                found = model(input_ids=TOKENS).logits
            torch.testing.assert_close(found, _truth(model, 1, expert), rtol=0, atol=1e-6)


def _truth(model: PreTrainedModel, layer: int, expert: int) -> Tensor:
    weights = model.model.layers[layer].mlp.experts.down_proj
    kept = weights[expert].clone()
    weights[expert] = 0
    logits: Tensor = model(input_ids=TOKENS).logits
    weights[expert] = kept
    return logits


def test_experts_of_layers_on_the_disk_give_the_same_numbers(tmp_path: Path) -> None:
    folder = decoder_folder("deepseek_v3", tmp_path / "deep")
    source = ModelSource("deep", folder, str(folder), None)
    ends = dict.fromkeys(("model.embed_tokens", "model.norm", "model.rotary_emb", "lm_head"), "cpu")
    on_disk = {f"model.layers.{layer}": "disk" if layer % 2 else "cpu" for layer in range(4)}
    here = load_model(source, dtype="float32", device="cpu", expert_layers="1-2")
    assert "+experts:1-2" in here.record.name
    offloaded = load_model(source, dtype="float32", device_map={**ends, **on_disk})
    assert offloaded.offloaded
    layout = with_expert_players(offloaded.model, offloaded.layout, "1-2")
    assert layout == here.layout
    coalitions: list[Removed] = [(), (3,), (4, 5), (10, 12)]
    documents = some_documents(3)
    found = swept(offloaded.model, layout, documents, coalitions)
    np.testing.assert_allclose(found, swept(here.model, here.layout, documents, coalitions), atol=1e-4)


def test_proxies_are_not_measured_of_single_experts() -> None:
    model = tiny_decoder("mixtral")
    layout = with_expert_players(model, layout_in_use(model), "1")
    row = pack([[TokenRequest((5,), (6,))]], 8)
    with pytest.raises(CornerstoneError, match="proxies are measured of whole sublayers"):
        measure_proxies(Decoder(model, layout), [row])


def test_the_parameters_of_all_experts_are_those_of_their_module() -> None:
    for name, module in (("mixtral", "mlp.experts"), ("llama4_text", "feed_forward.experts"), ("jetmoe", None)):
        model = tiny_decoder(name)
        layout = with_expert_players(model, layout_in_use(model), "1")
        layer = model.model.layers[1]
        held = [layer.get_submodule(module)] if module else [layer.mlp.input_linear, layer.mlp.output_linear]
        whole = sum(weight.numel() for each in held for weight in each.parameters())
        numbers = tuple(_number(layout, 1, expert) for expert in range(EXPERTS))
        assert parameters_of(model, layout, numbers).removed == whole
        one = parameters_of(model, layout, numbers[:1])
        assert (one.removed, one.removed_per_token) == (whole // EXPERTS, round(whole / EXPERTS * _met(model)))


def _met(model: PreTrainedModel) -> float:
    config = model.config.get_text_config()
    return float(getattr(config, "num_experts_per_tok", 2)) / EXPERTS


def _number(layout: Layout, layer: int, expert: int) -> int:
    return layout.starts[layer] + [sublayer.expert for sublayer in layout.layers[layer].sublayers].index(expert)
