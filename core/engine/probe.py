"""Run one layer by itself, on the states and arguments of a trace, with some of its submodules silenced."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from accelerate.utils import send_to_device
from torch import Tensor, nn

from core.engine.silence import first_of, watched, zeroed
from core.engine.tracing import LayerTrace, Received


@dataclass(frozen=True, slots=True)
class Look:
    """What a layer returned, and what its parts did, in the order in which they ran."""

    out: Tensor
    returned: dict[str, Any]

    @property
    def parts(self) -> list[str]:
        return list(self.returned)


class Probe:
    """A layer with the arguments that it received in a trace."""

    def __init__(self, traced: LayerTrace) -> None:
        self.layer: nn.Module = traced.layer
        place = next(iter(traced.layer.parameters()), traced.received.hidden).device
        received = traced.received
        if place.type != "meta" and place != received.hidden.device:  # the model is spread over several devices
            hidden, args, kwargs = send_to_device((received.hidden, received.args, received.kwargs), place)
            received = Received(hidden, received.keyword, args, kwargs)
        self._received = received

    @property
    def hidden(self) -> Tensor:
        """Return the hidden states of the trace, of shape (1, tokens, ...)."""
        return self._received.hidden

    def uneven(self) -> Tensor:
        """Return hidden states whose size differs from token to token, so that no norm can pass for a scale."""
        count = self.hidden.shape[1]
        sizes = torch.linspace(0.25, 1, count)[torch.randperm(count, generator=torch.Generator().manual_seed(1))]
        shape = (1, count, *[1] * (self.hidden.dim() - 2))
        return self.hidden * sizes.reshape(shape).to(self.hidden)

    def run(self, hidden: Tensor, silent: Iterable[str] = ()) -> Tensor:
        """Return the hidden states that the layer returns for ``hidden`` with submodules silenced."""
        with zeroed(self.layer, silent):
            return first_of(self._received.given_to(self.layer, hidden.clone()))

    def look(self, parts: Iterable[str], silent: Iterable[str] = (), hidden: Tensor | None = None) -> Look:
        """Run the layer with submodules silenced, and return what it and some of its parts return."""
        with watched(self.layer, parts) as found:
            out = self.run(self.hidden if hidden is None else hidden, silent)
        return Look(out, found)


@dataclass(frozen=True, slots=True)
class Exactness:
    """How far two results may be apart that are the same but for rounding, as a part of their size."""

    tolerance: float

    @classmethod
    def of(cls, dtype: torch.dtype) -> Exactness:
        """Return what rounding in a dtype may do over a few layers."""
        return cls({torch.float32: 1e-4, torch.float64: 1e-8, torch.float16: 5e-3}.get(dtype, 2e-2))

    def same(self, one: Tensor, other: Tensor) -> bool:
        """Return whether two tensors are the same but for rounding."""
        return one.shape == other.shape and distance(one, other) <= self.tolerance


def distance(one: Tensor, other: Tensor) -> float:
    """Return how far apart two tensors of one shape are, as a part of the size of the second; nan if not finite."""
    first, second = one.double().cpu(), other.double().cpu()
    size = float(second.norm())
    gap = float((first - second).norm())
    return gap / size if size > 0 else (0.0 if gap == 0 else float("inf"))
