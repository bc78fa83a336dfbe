"""Matrix products by oneDNN, which are faster than torch's own on x86 CPUs, above all for small batches.

They serve float32, and bfloat16 on a CPU that has instructions for it. They are as exact, though the sums run in
another order. Weights are reordered once and then serve many batches. The gate of a gated FFN is applied while its
factor is still in the registers. Torch's compiler calls the same operators.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers.activations import ACT2FN
from transformers.pytorch_utils import Conv1D

from core.engine.number_formats import fast_on_cpu
from core.engine.removal import computes_as_its_class, forward_replaced

WORTH_PACKING = 1024
"""Number of tokens from which reordering a layer's weights pays, whatever their size.

Reordering takes as long as a product with some 100 tokens.
"""

ROWS = 16
"""Inputs are padded to a multiple of this many rows, or of eight times as many if they are long."""

KEPT_BYTES = 256 * 2**20
"""Memory that oneDNN's code cache takes in the end: about 0.6 MB per number of rows and shape of weights."""

_SERVED = (torch.float32, torch.bfloat16)

_LONG = 1024
"""Inputs with more rows than this are long."""

_ROWS_HINT = 1024
"""Number of rows that the weights' order is chosen for; other numbers work as well."""

_SHOWN = 3
"""Tokens by which a gated FFN is told from one that does more."""

_Function = tuple[str, list[float], str]
"""An element-wise function of oneDNN: its name, its coefficients and its algorithm."""

_PLAIN: _Function = "none", [], ""
_FUNCTIONS: dict[type, _Function] = {
    type(ACT2FN["silu"]): ("swish", [1.0], ""),
    type(ACT2FN["gelu_pytorch_tanh"]): ("gelu", [], "tanh"),
}


@cache
def faster(device: torch.device, dtype: torch.dtype) -> bool:
    """Return whether oneDNN is faster than torch for this device and dtype."""
    x86 = device.type == "cpu" and torch.backends.cpu.get_cpu_capability().startswith("AVX")
    served = dtype in _SERVED and fast_on_cpu(dtype)
    return x86 and served and hasattr(torch.ops.mkldnn, "_linear_pointwise")


def product(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Compute ``torch.nn.functional.linear`` of (rows, in) and (out, in), without reordering the weights."""
    if not faster(weight.device, weight.dtype):
        return linear(inputs, weight, bias)
    out: Tensor = torch.ops.mkldnn._linear_pointwise(filled(inputs), weight, bias, *_PLAIN)
    return out[: len(inputs)]


def filled(inputs: Tensor) -> Tensor:
    """Pad inputs of shape (rows, in) with rows of zeros, as ``ROWS`` requires."""
    count = len(inputs)
    lacking = -count % (ROWS if count <= _LONG else 8 * ROWS)
    if not lacking:
        return inputs
    rows = inputs.new_empty(count + lacking, inputs.shape[1])  # takes half the time of torch's own padding
    rows[:count] = inputs
    rows[count:] = 0
    return rows


@contextmanager
def packed(layer: nn.Module) -> Iterator[None]:
    """Reorder the weights of a layer's linear modules for the block. The copies take as much memory as the weights.

    The forwards of the modules are replaced, so sublayers must be silenced inside the block, not around it. Modules
    that oneDNN does not speed up (another device, another dtype, stacked weights of experts) stay as they are.
    """
    if any(isinstance(vars(module).get("forward"), Product) for module in layer.modules()):
        yield  # the sweep that this one interrupts has reordered them already
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
    """The forward of a linear module, (..., in) to (..., out), with its weight of shape (out, in) reordered."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), _ROWS_HINT)
        self._bias = bias

    def __call__(self, inputs: Tensor) -> Tensor:
        return _by_rows(self.then, inputs)

    def then(self, inputs: Tensor, function: _Function = _PLAIN) -> Tensor:
        """Multiply inputs of shape (rows, in), then apply an element-wise function."""
        out: Tensor = torch.ops.mkldnn._linear_pointwise(inputs, self._weight, self._bias, *function)
        return out

    def times(self, inputs: Tensor, factor: Tensor) -> Tensor:
        """Multiply inputs of shape (rows, in), then multiply the result by ``factor`` element-wise."""
        out: Tensor = torch.ops.mkldnn._linear_pointwise.binary(inputs, factor, self._weight, self._bias, "mul")
        return out


def _by_rows(compute: Callable[[Tensor], Tensor], inputs: Tensor) -> Tensor:
    """Apply ``compute`` to (..., in) as padded rows, and restore the shape."""
    rows = inputs.flatten(0, -2)
    return compute(filled(rows))[: len(rows)].view(*inputs.shape[:-1], -1)


def _product_of(module: nn.Module) -> Product | None:
    """Return the product for a linear module with ordinary weights, else None. GPT-2 stores its weights transposed."""
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    if type(module) not in (nn.Linear, Conv1D) or type(weight) is not nn.Parameter:
        return None
    if not computes_as_its_class(module):
        return None
    if hasattr(module, "quantization_scheme"):  # compressed-tensors quantizes its inputs too
        return None
    if not faster(weight.device, weight.dtype):
        return None
    return Product(weight.t() if type(module) is Conv1D else weight, bias)


class _GatedFfn:
    """The forward of a gated FFN, down(f(gate(x)) * up(x)), for inputs of shape (..., hidden)."""

    def __init__(self, gate: Product, function: Callable[[Tensor], Tensor], up: Product, down: Product) -> None:
        self._gate, self._function, self._up, self._down = gate, function, up, down
        self._known = _known(function)

    def __call__(self, hidden: Tensor) -> Tensor:
        return _by_rows(self._rows, hidden)

    def _rows(self, hidden: Tensor) -> Tensor:
        gate = self._gate.then(hidden, self._known) if self._known else self._function(self._gate.then(hidden))
        return self._down.then(self._up.times(hidden, gate))


def _known(function: Callable[[Tensor], Tensor]) -> _Function | None:
    """Return what oneDNN calls a function; None for one that it does not know, or that does more."""
    if not isinstance(function, nn.Module) or not computes_as_its_class(function):
        return None
    hooked = function._forward_hooks or function._forward_pre_hooks
    return None if hooked else _FUNCTIONS.get(type(function))


def _gated(module: nn.Module, products: dict[nn.Module, Product]) -> _GatedFfn | None:
    """Return the forward of a gated FFN, else None. All families name its parts alike."""
    function = getattr(module, "act_fn", None)
    parts = [getattr(module, f"{name}_proj", None) for name in ("gate", "up", "down")]
    linears = [part for part in parts if type(part) is nn.Linear and part in products]
    if function is None or len(linears) != len(parts) or not _is_plainly_gated(module, function, linears):
        return None
    gate, up, down = (products[linear] for linear in linears)
    return _GatedFfn(gate, function, up, down)


def _is_plainly_gated(module: nn.Module, function: Callable[[Tensor], Tensor], linears: Sequence[nn.Linear]) -> bool:
    """Return whether a module is down(f(gate(x)) * up(x)) and no more: some families clamp, scale or norm in between.

    Its own forward runs on numbers of all sizes, with given numbers in place of its three products.
    """
    draw = torch.Generator().manual_seed(0)
    given, *results = (
        torch.randn(1, _SHOWN, width, generator=draw) * torch.logspace(-6, 6, width)
        for width in (linears[0].in_features, *(linear.out_features for linear in linears))
    )
    received: dict[int, Tensor] = {}

    def giving(index: int) -> Callable[[Tensor], Tensor]:
        def give(inputs: Tensor) -> Tensor:
            received[index] = inputs.clone()
            return results[index].clone()

        return give

    with ExitStack() as stack:
        for index, linear in enumerate(linears):
            stack.enter_context(forward_replaced(linear, giving(index)))
        try:
            found = module.forward(given.clone())
        except (RuntimeError, ValueError, TypeError, LookupError, AttributeError):
            return False  # it takes more than hidden states
    gate, up, out = results
    expected = {0: given, 1: given, 2: function(gate) * up, 3: out}
    return all(_same(received.get(index, found), tensor) for index, tensor in expected.items())


def _same(found: Any, expected: Tensor) -> bool:
    return isinstance(found, Tensor) and found.shape == expected.shape and torch.equal(found, expected)
