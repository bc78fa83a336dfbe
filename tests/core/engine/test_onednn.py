"""Products by oneDNN: the same numbers as torch's own, for every module that is laid out for them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import linear
from torch.nn.utils.parametrizations import weight_norm
from torch.profiler import ProfilerActivity, profile
from transformers.activations import ACT2FN

from core.coalitions.schedules import windows
from core.engine.decoder import Decoder
from core.engine.layers import decoder_layers
from core.engine.onednn import ROWS, Product, _GatedFfn, faster, packed, product
from core.engine.packing import pack
from core.engine.sweep import _batch_size, sweep
from tests.core.engine.test_decoder import some_documents
from tests.support.swept import layout_in_use
from tests.support.tiny_models import LAYERS, SETTINGS, WINDOW, tiny_model

CAPABILITY = torch.backends.cpu.get_cpu_capability()

needs_onednn = pytest.mark.skipif(
    not faster(torch.device("cpu"), torch.float32),
    reason=f"weights are laid out on x86 CPUs with AVX only; this one has {CAPABILITY}",
)

sizes = st.integers(1, 40)


class Gated(nn.Module):
    """A gated FFN as the Llama-like families write it."""

    def __init__(self, hidden: int, width: int, function: Callable[[Tensor], Tensor], *, bias: bool) -> None:
        super().__init__()
        self.gate_proj, self.up_proj = nn.Linear(hidden, width, bias=bias), nn.Linear(hidden, width, bias=bias)
        self.down_proj = nn.Linear(width, hidden, bias=bias)
        self.act_fn = function

    def forward(self, states: Tensor) -> Tensor:
        return self.down_proj(self.act_fn(self.gate_proj(states)) * self.up_proj(states))


@given(sizes, sizes, sizes, st.booleans())
def test_a_product_is_what_torch_makes_of_it(rows: int, inside: int, outside: int, has_bias: bool) -> None:
    inputs, weight = torch.randn(rows, inside), torch.randn(outside, inside)
    bias = torch.randn(outside) if has_bias else None
    torch.testing.assert_close(product(inputs, weight, bias), linear(inputs, weight, bias), atol=1e-4, rtol=1e-4)


@needs_onednn
@given(sizes, sizes, sizes, st.booleans(), st.sampled_from(["silu", "gelu_pytorch_tanh", "relu"]))
def test_a_gated_ffn_in_one_pass_is_the_same(rows: int, hidden: int, width: int, bias: bool, name: str) -> None:
    ffn, states = Gated(hidden, width, ACT2FN[name], bias=bias), 3 * torch.randn(2, rows, hidden)
    with torch.inference_mode():
        truth = ffn(states)
        with packed(ffn):
            assert isinstance(ffn.forward, _GatedFfn)
            torch.testing.assert_close(ffn(states), truth, atol=1e-4, rtol=1e-4)


@needs_onednn
@pytest.mark.parametrize(("name", "function"), [("llama", "silu"), ("gemma2", "gelu")])
def test_a_gate_is_applied_within_its_product(name: str, function: str) -> None:
    model = tiny_model(name)
    ffn = decoder_layers(model, layout_in_use(model).path)[0].mlp
    with torch.inference_mode(), packed(ffn), profile(activities=[ProfilerActivity.CPU]) as seen:
        ffn(torch.randn(1, 3, 32))
    called = Counter(event.name for event in seen.events())
    assert called["mkldnn::_linear_pointwise"] == 3
    assert not called[f"aten::{function}"]
    assert not called["aten::mul"]


@needs_onednn
@pytest.mark.parametrize("name", SETTINGS)
def test_every_linear_module_of_a_layer_is_laid_out_and_as_before_afterwards(name: str) -> None:
    model = tiny_model(name)
    layer = decoder_layers(model, layout_in_use(model).path)[0]
    linear_modules = [module for module in layer.modules() if type(module).__name__ in ("Linear", "Conv1D")]
    with packed(layer):
        assert linear_modules
        assert all(isinstance(module.forward, Product) for module in linear_modules)
        forwards = [vars(module).get("forward") for module in layer.modules()]
        with packed(layer):  # what is laid out already is used again
            assert [vars(module).get("forward") for module in layer.modules()] == forwards
    assert not any("forward" in vars(module) for module in layer.modules())


def test_weights_that_are_not_plain_ones_are_left_as_they_are() -> None:
    layer = nn.Sequential(nn.Linear(3, 4), weight_norm(nn.Linear(4, 3)))
    with packed(layer):
        assert "forward" not in vars(layer[1])


def test_other_dtypes_are_left_as_they_are() -> None:
    layer, states = nn.Linear(3, 4).double(), torch.randn(2, 3, dtype=torch.float64)
    with packed(layer):
        assert "forward" not in vars(layer)
    assert product(states, layer.weight, layer.bias).dtype == torch.float64


@needs_onednn
def test_weights_are_laid_out_once_a_layer_where_enough_tokens_go_through(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[nn.Module] = []
    init = Product.__init__
    monkeypatch.setattr(Product, "__init__", lambda self, *given: made.append(self) or init(self, *given))
    model, row = tiny_model("llama"), pack(some_documents(2), WINDOW)
    decoder = Decoder(model, layout_in_use(model))
    monkeypatch.setattr("core.engine.decoder.WORTH_PACKING", 2 * len(row))
    sweep(decoder, row, [()], batch_tokens=64)
    assert not made
    # Each layer has several states then, in several batches.
    sweep(decoder, row, windows(2 * LAYERS), batch_tokens=64)
    assert len(made) == 7 * LAYERS


@needs_onednn
def test_code_is_made_for_few_numbers_of_rows_whatever_the_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: set[int] = set()
    then, multiply = Product.then, product
    monkeypatch.setattr(Product, "then", lambda self, rows, *how: counts.add(len(rows)) or then(self, rows, *how))
    monkeypatch.setattr("core.engine.decoder.WORTH_PACKING", 0)
    monkeypatch.setattr(
        "core.engine.head.product", lambda rows, *weights: counts.add(len(rows)) or multiply(rows, *weights)
    )
    model = tiny_model("llama")
    decoder = Decoder(model, layout_in_use(model))
    for seed in range(4):
        sweep(decoder, pack(some_documents(seed), WINDOW), windows(2 * LAYERS, 2), batch_tokens=200)
    assert counts
    assert not any(count % ROWS for count in counts)


@given(st.integers(1, 300), st.integers(1, 2000), st.integers(1, 4096))
def test_batches_are_as_few_as_their_tokens_allow(states: int, tokens: int, batch_tokens: int) -> None:
    size, most = _batch_size(states, tokens, batch_tokens), max(1, batch_tokens // tokens)
    assert 1 <= size <= most
    assert math.ceil(states / size) == math.ceil(states / most)
