"""Products by oneDNN: the same numbers as torch's own, for every module that is laid out for them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import linear
from torch.nn.utils.parametrizations import weight_norm
from torch.profiler import ProfilerActivity, profile
from transformers.activations import ACT2FN
from transformers.models.deepseek_v4.modeling_deepseek_v4 import DeepseekV4MLP
from transformers.models.gemma3n.modeling_gemma3n import Gemma3nTextMLP
from transformers.models.glm5_next.modeling_glm5_next import Glm5NextTextMLP
from transformers.models.step3p7.modeling_step3p7 import Step3p7MLP

from core.coalitions.schedules import windows
from core.engine.decoder import Decoder
from core.engine.layers import decoder_layers
from core.engine.onednn import ROWS, Product, _GatedFfn, faster, packed, product
from core.engine.packing import pack
from core.engine.sweep import _batch_size, sweep
from tests.core.engine.test_decoder import some_documents
from tests.support.decoder_types import tiny_config, tiny_decoder
from tests.support.decoder_variants import VARIANTS
from tests.support.swept import layout_in_use
from tests.support.tiny_models import LAYERS, SETTINGS, WINDOW, tiny_model

CAPABILITY = torch.backends.cpu.get_cpu_capability()

needs_onednn = pytest.mark.skipif(
    not faster(torch.device("cpu"), torch.float32),
    reason=f"weights are laid out on x86 CPUs with AVX only; this one has {CAPABILITY}",
)

needs_bfloat16 = pytest.mark.skipif(
    not faster(torch.device("cpu"), torch.bfloat16),
    reason="bfloat16 is laid out on x86 CPUs with AVX512-BF16 or AMX only, and this one has neither",
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


ODD_FFNS: dict[str, tuple[str, Callable[[nn.Module], object]]] = {
    "a norm between": ("bitnet", lambda _ffn: None),
    "a scale of the gate and of the result": ("falcon_h1: multipliers", lambda _ffn: None),
    "a scale that is a weight": ("inkling_text", lambda _ffn: None),
    "a forward of its own": ("llama", lambda ffn: setattr(ffn, "forward", lambda x: type(ffn).forward(ffn, x) + x)),
    "tokens that mix": ("llama", lambda ffn: setattr(ffn, "forward", lambda x: type(ffn).forward(ffn, x.roll(1, 1)))),
    "a bound on large numbers": (
        "llama",
        lambda ffn: setattr(ffn, "forward", lambda x: type(ffn).forward(ffn, x).clamp(max=2.0)),
    ),
    "a hook on a product": ("llama", lambda ffn: ffn.up_proj.register_forward_hook(lambda _m, _i, out: out * 2)),
}


@needs_onednn
@pytest.mark.parametrize("name", ODD_FFNS)
def test_an_ffn_that_does_more_than_a_gated_one_stays_itself(name: str) -> None:
    kind, change = ODD_FFNS[name]
    base, settings = VARIANTS.get(kind, (kind, {}))
    model = tiny_decoder(base, **settings)
    layer = decoder_layers(model, layout_in_use(model).path)[0]
    ffn = next(module for module in layer.modules() if hasattr(module, "gate_proj"))
    change(ffn)
    states = 3 * torch.randn(1, 5, ffn.gate_proj.in_features)
    with torch.inference_mode():
        truth = ffn(states)
        with packed(layer):
            assert not isinstance(ffn.forward, _GatedFfn)
            torch.testing.assert_close(ffn(states), truth, atol=1e-4, rtol=1e-4)


OF_TRANSFORMERS: dict[str, tuple[Callable[[Any], nn.Module], str, dict[str, Any], bool]] = {
    "sparse": (Gemma3nTextMLP, "gemma3n_text", {"activation_sparsity_pattern": [0.9] * 4}, False),
    "not sparse": (Gemma3nTextMLP, "gemma3n_text", {"activation_sparsity_pattern": [0.0] * 4}, True),
    "clamped at large numbers": (DeepseekV4MLP, "deepseek_v4", {"swiglu_limit": 1e5}, False),
    "clamped": (Glm5NextTextMLP, "glm5_next_text", {"swiglu_limit": 2.0, "qk_rope_head_dim": 0}, False),
    "clamped in one layer": (
        partial(Step3p7MLP, layer_idx=0),
        "step3p7",
        {"text_config": {"swiglu_limits_shared": [2.0] * 4}},
        False,
    ),
    "clamped in none": (partial(Step3p7MLP, layer_idx=0), "step3p7", {}, True),
}
"""FFNs that may do more than a gated one: a class, a type, its settings, and whether it does no more with these."""


@needs_onednn
@pytest.mark.parametrize("name", OF_TRANSFORMERS)
def test_an_ffn_is_gated_and_no_more_by_what_it_does(name: str) -> None:
    make, kind, settings, plain = OF_TRANSFORMERS[name]
    ffn = make(tiny_config(kind, **settings).get_text_config()).eval()
    states = torch.randn(1, 5, ffn.gate_proj.in_features) * torch.tensor([1e-3, 1, 10, 100, 1e6])[:, None]
    with torch.inference_mode():
        truth = ffn(states)
        with packed(ffn):
            assert isinstance(vars(ffn).get("forward"), _GatedFfn) == plain
            torch.testing.assert_close(ffn(states), truth, atol=1e-4, rtol=1e-4)


def _doubled(module: nn.Module) -> Callable[[Tensor], Tensor]:
    return lambda inputs: 2 * type(module).forward(module, inputs)


@needs_onednn
def test_a_product_or_function_with_a_forward_of_its_own_keeps_it() -> None:
    odd_product, odd_function, hooked = (Gated(8, 12, type(ACT2FN["silu"])(), bias=False) for _ in range(3))
    odd_product.up_proj.forward = _doubled(odd_product.up_proj)  # type: ignore[method-assign]
    odd_function.act_fn.forward = _doubled(odd_function.act_fn)
    hooked.act_fn.register_forward_hook(lambda _module, _inputs, out: 2 * out)
    for ffn in (odd_product, odd_function, hooked):
        states = torch.randn(1, 5, 8)
        with torch.inference_mode():
            truth = ffn(states)
            with packed(ffn):
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


@needs_bfloat16
@pytest.mark.parametrize("name", SETTINGS)
def test_bfloat16_is_laid_out_and_as_near_to_float32_as_torch_is(name: str) -> None:
    exact = tiny_model(name)
    model, row = tiny_model(name).to(torch.bfloat16), pack(some_documents(2), WINDOW)
    layout = layout_in_use(exact)
    right = sweep(Decoder(exact, layout), row, [(), (1,)], batch_tokens=64).logprobs
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.engine.decoder.WORTH_PACKING", 1)
        found = sweep(Decoder(model, layout), row, [(), (1,)], batch_tokens=64).logprobs
    plain = sweep(Decoder(model, layout, laid_out=False), row, [(), (1,)], batch_tokens=64).logprobs
    errors = [float(abs(each - right).mean()) for each in (found, plain)]
    assert 0 < errors[0] <= 1.5 * errors[1]


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
