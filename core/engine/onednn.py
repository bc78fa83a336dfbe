"""Matrix products by oneDNN: on an x86 CPU faster than torch's own in float32, above all in small batches.

They are as exact, though summed in another order. Weights are laid out for them once and then serve many batches; the
gate of a gated FFN is applied while its factor is still in the registers. Torch's compiler calls the same operators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers.activations import ACT2FN
from transformers.pytorch_utils import Conv1D

from core.engine.removal import forward_replaced

WORTH_PACKING = 1024
"""Tokens from which on laying out a layer's weights pays, whatever their size: it takes as long as some 100 tokens."""

ROWS = 16
"""Inputs have a multiple of so many rows, or of eight times as many where they are long."""

KEPT_BYTES = 256 * 2**20
"""What oneDNN keeps in the end: for each number of rows and each shape of weights code of some 0.6 MB."""

_LONG = 1024
_ROWS_HINT = 1024
"""The number of rows that weights are laid out for; others are computed as well."""

_Function = tuple[str, list[float], str]
"""A function of each entry by oneDNN: its name, its numbers, its algorithm."""

_PLAIN: _Function = "none", [], ""
_FUNCTIONS: dict[type, _Function] = {
    type(ACT2FN["silu"]): ("swish", [1.0], ""),
    type(ACT2FN["gelu_pytorch_tanh"]): ("gelu", [], "tanh"),
}


@cache
def faster(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether oneDNN is the faster way there."""
    x86 = device.type == "cpu" and torch.backends.cpu.get_cpu_capability().startswith("AVX")
    return x86 and dtype == torch.float32 and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def product(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """What ``torch.nn.functional.linear`` gives: (rows, in) by (out, in), weights used as they lie."""
    if not faster(weight.device, weight.dtype):
        return linear(inputs, weight, bias)
    out: Tensor = torch.ops.mkldnn._linear_pointwise(filled(inputs), weight, bias, *_PLAIN)
    return out[: len(inputs)]


def filled(inputs: Tensor) -> Tensor:
    """Inputs (rows, in) with rows of zeros after them where ``ROWS`` ask for it."""
    count = len(inputs)
    lacking = -count % (ROWS if count <= _LONG else 8 * ROWS)
    if not lacking:
        return inputs
    rows = inputs.new_empty(count + lacking, inputs.shape[1])  # half the time of torch's own padding
    rows[:count] = inputs
    rows[count:] = 0
    return rows


@contextmanager
def packed(layer: nn.Module) -> Iterator[None]:
    """Lay out the weights of a layer's linear modules for the block; they take their size in memory once more.

    The modules' forwards are replaced, so sublayers are to be silenced inside the block, not around it. What oneDNN
    does not do faster (another device, another dtype, experts' stacked weights) is left as it is.
    """
    if any(isinstance(vars(module).get("forward"), Product) for module in layer.modules()):
        yield  # laid out already, by the sweep that this one interrupts
        return
    products = {module: made for module in layer.modules() if (made := _product_of(module)) is not None}
    with ExitStack() as stack:
        for module, made in products.items():
            stack.enter_context(forward_replaced(module, made))
        for module in layer.modules():
            if (gated := _gated(module, products)) is not None:
                stack.enter_context(forward_replaced(module, gated))
        yield


class Product:
    """A linear module's forward, (..., in) to (..., out), its weight (out, in) laid out anew."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), _ROWS_HINT)
        self._bias = bias

    def __call__(self, inputs: Tensor) -> Tensor:
        return _by_rows(self.then, inputs)

    def then(self, inputs: Tensor, function: _Function = _PLAIN) -> Tensor:
        """Of (rows, in), followed by a function of each entry."""
        out: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, self._weight, self._bias, *function)
        return out

    def times(self, inputs: Tensor, factor: Tensor) -> Tensor:
        """Of (rows, in), followed by the product with ``factor``, entry by entry."""
        out: Tensor = torch.ops.mkldnn._linear_pointwise.binary(inputs, factor, self._weight, self._bias, "mul")
        return out


def _by_rows(compute: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    """Computes (..., in) as rows that are ``filled``."""
    rows = inputs.flatten(0, -2)
    return compute(filled(rows))[: len(rows)].view(*inputs.shape[:-1], -1)


def _product_of(module: nn.Module) -> Product | None:
    """Of a linear module whose weights are plain ones; GPT-2's are stored the other way round."""
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    if type(module) not in (nn.Linear, Conv1D) or type(weight) is not nn.Parameter:
        return None
    if not faster(weight.device, weight.dtype):
        return None
    return Product(weight.t() if type(module) is Conv1D else weight, bias)


class _GatedFfn:
    """The forward of a gated FFN, down(f(gate(x)) * up(x)): of (..., hidden)."""

    def __init__(self, gate: Product, function: Callable[[Tensor], Tensor], up: Product, down: Product) -> None:
        self._gate, self._function, self._up, self._down = gate, function, up, down

    def __call__(self, hidden: Tensor) -> Tensor:
        return _by_rows(self._rows, hidden)

    def _rows(self, hidden: Tensor) -> Tensor:
        known = _FUNCTIONS.get(type(self._function))
        gate = self._gate.then(hidden, known) if known else self._function(self._gate.then(hidden))
        return self._down.then(self._up.times(hidden, gate))


def _gated(module: nn.Module, products: dict[nn.Module, Product]) -> _GatedFfn | None:
    """A gated FFN is told by its parts, which its families name alike."""
    function = getattr(module, "act_fn", None)
    parts = (getattr(module, f"{name}_proj", None) for name in ("gate", "up", "down"))
    gate, up, down = (None if part is None else products.get(part) for part in parts)
    if function is None or gate is None or up is None or down is None:
        return None
    return _GatedFfn(gate, function, up, down)
