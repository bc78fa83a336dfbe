"""Layers are twins where they differ in weights and number only; anything else that they keep or receive counts."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from core.engine import packing_law
from core.engine.decoder import Decoder
from core.engine.packing import TokenRequest, pack
from core.engine.packing_law import verified
from core.engine.twins import are_twins, first_twins, receive_alike
from core.engine.verified_layout import layout_of
from core.models.families import HINTS
from core.models.layout import Layer
from tests.support.decoder_types import tiny_decoder
from tests.support.swept import assert_exact, some_coalitions, some_documents

Change = Callable[[Any], object]

CHANGES: dict[str, Change] = {
    "a number": lambda model: setattr(model.model.layers[2].self_attn, "window", 4),
    "a number of a norm": lambda model: setattr(model.model.layers[2].input_layernorm, "variance_epsilon", 0.5),
    "a hook": lambda model: model.model.layers[2].self_attn.register_forward_hook(lambda *_args: None),
    "a forward of its own": lambda model: setattr(model.model.layers[2].mlp, "forward", lambda states: states),
    "a buffer": lambda model: model.model.layers[2].register_buffer("bias", torch.ones(2)),
    "a setting by layer": lambda model: setattr(model.config, "kinds", ["full", "full", "band", "full"]),
    "a class": lambda model: setattr(model.model.layers[2].mlp, "act_fn", nn.GELU()),
    "a number that is not that of the layer": lambda model: setattr(model.model.layers[2], "layer_interval", 2),
    "a random part": lambda model: setattr(model.model.layers[2].self_attn, "attention_dropout", 0.5),
    "a mode": lambda model: model.model.layers[2].mlp.train(),
    "an object": lambda model: setattr(model.model.layers[2].self_attn, "kept", object()),
}


def test_weights_and_the_number_of_a_layer_make_no_difference() -> None:
    model = tiny_decoder("llama")
    layers = list(model.model.layers)
    assert layers[0].self_attn.layer_idx != layers[2].self_attn.layer_idx
    assert are_twins(model.config, layers, 0, 2)


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_else_a_layer_keeps_makes_a_difference(name: str) -> None:
    model = tiny_decoder("llama")
    CHANGES[name](model)
    layers = list(model.model.layers)
    assert not are_twins(model.config, layers, 0, 2)
    assert are_twins(model.config, layers, 0, 1)
    assert first_twins(model.config, layers) == [0, 0, 2, 0]


def test_equal_buffers_make_no_difference_and_others_do() -> None:
    model = tiny_decoder("gpt_neo", window_size=256, max_position_embeddings=2048)
    layers = list(model.transformer.h)
    assert [are_twins(model.config, layers, 0, other) for other in (1, 2, 3)] == [False, True, False]


def test_layers_that_receive_other_masks_do_not_receive_alike() -> None:
    model = tiny_decoder("qwen3")  # with layers of both kinds of masks
    layout = layout_of(model, HINTS)
    row = pack([[TokenRequest(tuple(range(5, 14)), end) for end in ((20, 21), (22, 23))]], 24)
    with torch.inference_mode():
        calls: Any = Decoder(model, layout).enter(row).calls
    found = [receive_alike(calls[0], call) for call in calls]
    assert found == [kind == model.config.layer_types[0] for kind in model.config.layer_types]
    assert set(found) == {True, False}


def test_the_long_row_goes_through_one_of_layers_that_are_twins(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths: list[int] = []
    mixed = packing_law._Entries._mixed

    def counted(self: Any, index: int, layer: Layer, row: Tensor, *others: Any) -> Any:
        lengths.append(row.shape[1])
        return mixed(self, index, layer, row, *others)

    monkeypatch.setattr(packing_law._Entries, "_mixed", counted)
    model = tiny_decoder("llama", max_position_embeddings=2048)
    assert verified(model, layout_of(model, HINTS)).way == "packed"
    assert lengths[0] > 512
    assert max(lengths[1:]) < 64


def test_a_layer_that_counts_places_far_in_a_row_is_found_though_it_is_made_like_others() -> None:
    model = tiny_decoder("llama", max_position_embeddings=2048)
    attention = model.model.layers[2].self_attn
    plain = attention.forward

    def banded(hidden_states: Tensor, attention_mask: Any, **kwargs: Any) -> Any:
        count = hidden_states.shape[1]
        if count > 256:
            places = torch.arange(count)
            far = places[:, None] - places >= 256
            attention_mask = attention_mask.masked_fill(far, torch.finfo(hidden_states.dtype).min)
        return plain(hidden_states, attention_mask=attention_mask, **kwargs)

    attention.forward = banded
    found = verified(model, layout_of(model, HINTS))
    assert found.way == "mixed"
    assert [layer.packs for layer in found.layers] == [True, True, False, True]


BLIND: dict[str, Change] = {
    "nothing but a bias": lambda attention: attention.out_proj.weight.zero_(),
    "a bias and little else": lambda attention: attention.out_proj.weight.mul_(1e-5),
    "numbers near zero": lambda attention: (attention.out_proj.weight.mul_(1e-38), attention.out_proj.bias.zero_()),
    "values that are all alike": lambda attention: attention.v_proj.weight.zero_(),
    "nothing": lambda attention: (attention.out_proj.weight.zero_(), attention.out_proj.bias.zero_()),
    "the token itself": lambda attention: (
        attention.q_proj.weight.mul_(100),
        attention.k_proj.weight.copy_(attention.q_proj.weight),
    ),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", BLIND)
def test_a_layer_that_does_not_read_far_tokens_does_not_stand_for_its_twins(name: str, dtype: torch.dtype) -> None:
    model = tiny_decoder("gpt_neo", window_size=256, max_position_embeddings=2048)
    with torch.no_grad():
        BLIND[name](model.transformer.h[1].attn.attention)
    model.to(dtype)
    found = verified(model, layout_of(model, HINTS))
    assert [layer.packs for layer in found.layers] == [True, False, True, False]


def test_a_layer_that_reads_more_of_a_sublayer_than_others_learns_its_stand_in_by_itself() -> None:
    model = tiny_decoder("llama")
    for index, layer in enumerate(model.model.layers):
        _hand_on(layer, reads=index == 2)
    layout = verified(model, layout_of(model, HINTS))
    assert_exact(model, layout, some_documents(1), some_coalitions(8))


def _hand_on(layer: Any, *, reads: bool) -> None:
    """Let a layer's attention return a second tensor, which the FFN may read where there is one."""
    attend = layer.self_attn.forward

    def attention(hidden_states: Tensor, **kwargs: Any) -> tuple[Tensor, Tensor]:
        return attend(hidden_states, **kwargs)[0], hidden_states * 0.5

    def forward(self: Any, hidden_states: Tensor, **kwargs: Any) -> Tensor:
        added, more = self.self_attn(hidden_states=self.input_layernorm(hidden_states), **kwargs)
        states = hidden_states + added
        normed = self.post_attention_layernorm(states)
        return states + self.mlp(normed + more if self.reads and more is not None else normed)

    layer.reads = reads
    layer.self_attn.forward = attention
    layer.forward = MethodType(forward, layer)
