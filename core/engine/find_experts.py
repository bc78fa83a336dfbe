"""Find the module that computes all routed experts of a mixture, and the form in which it is called."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from torch import Tensor, nn

from core.engine.expert_silence import counts_of, routing_of
from core.engine.probe import Probe
from core.engine.silence import first_of
from core.errors import CornerstoneError
from core.models.layout import Experts, Sublayer

_COUNTS: Final = ("num_experts", "num_local_experts", "total_experts")
"""Attributes of modules that tell the number of experts."""


@dataclass(frozen=True, slots=True)
class ExpertCall:
    """A module of a layer, what it received, and what it returned."""

    path: str
    module: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    out: Tensor

    def again(self) -> Tensor:
        """Return what the module returns now for what it received then."""
        return first_of(self.module(*_copied(self.args), **self.kwargs))


def find_experts(probe: Probe, mixture: Sublayer) -> tuple[Experts, ExpertCall]:
    """Return the routed experts of a mixture, and the call that computes them.

    Args:
        probe: the layer.
        mixture: the player that is a mixture of experts.

    Raises:
        CornerstoneError: no module computes them in a form that is known, or it runs more than once.
    """
    calls = _calls(probe, mixture)
    for form in (_indexed, _sorted, _blocked):
        found = [(experts, call) for call in calls if (experts := form(call)) is not None]
        if not found:
            continue
        experts, call = found[-1]  # of products in turn, the last one returns what experts add
        if sum(other.path == experts.path for other in calls) > 1:
            raise CornerstoneError(f"{experts.path}, which computes its experts, runs more than once for a text")
        return experts, call
    raise CornerstoneError(
        "no module of its mixture computes all experts from the numbers of each token's experts and their weights, so "
        "that single experts cannot be removed"
    )


def _calls(probe: Probe, mixture: Sublayer) -> list[ExpertCall]:
    """Return the calls of all modules of a mixture in one run of its layer, in the order in which they end."""
    found: list[ExpertCall] = []

    def keeper(path: str) -> Any:
        def keep(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], out: Any) -> None:
            first = out[0] if isinstance(out, (tuple, list)) and out else out
            if isinstance(first, Tensor):
                found.append(ExpertCall(path, module, _copied(args), dict(kwargs), first.clone()))

        return keep

    with ExitStack() as hooks:
        for path, module in modules_of(probe.layer, mixture):
            hooks.callback(module.register_forward_hook(keeper(path), with_kwargs=True).remove)
        probe.run(probe.hidden)
    return found


def modules_of(layer: nn.Module, mixture: Sublayer) -> Iterator[tuple[str, nn.Module]]:
    """Yield the modules of a mixture with their paths, of which a player's parts may be only the last."""
    tops = dict.fromkeys(part.partition(".")[0] for part in mixture.parts)
    for path, module in layer.named_modules():
        if path.partition(".")[0] in tops:
            yield path, module


def _indexed(call: ExpertCall) -> Experts | None:
    count = count_of(call.module)
    routing = routing_of(call.args, call.kwargs)
    if routing is None or count is None or not any(True for _ in call.module.parameters()):
        return None
    return Experts(call.path, "indexed", count) if int(routing.index.max()) < count else None


def _sorted(call: ExpertCall) -> Experts | None:
    sizes = counts_of(call.args)
    fits = sizes is not None and len(sizes) == count_of(call.module) and call.out.shape[0] == sum(sizes)
    return Experts(call.path, "sorted", len(sizes)) if sizes is not None and fits else None


def _blocked(call: ExpertCall) -> Experts | None:
    count = count_of(call.module)
    given = call.args[0] if call.args else None
    if not stacked(call.module) or count is None or not isinstance(given, Tensor):
        return None
    blocks = given.dim() == call.out.dim() == 2 and given.shape[0] == call.out.shape[0] and not given.shape[0] % count
    return Experts(call.path, "blocked", count) if blocks else None


def count_of(module: nn.Module) -> int | None:
    """Return for how many experts a module has weights, which it may hold as one tensor; else what it says itself."""
    counts = stacked(module)
    if len(counts) == 1:
        return counts.pop()
    told = (getattr(module, name, None) for name in _COUNTS)
    return next((count for count in told if type(count) is int and count > 0), None)


def stacked(module: nn.Module) -> set[int]:
    """Return the lengths of the first axes of a module's own tensors with three axes."""
    return {weight.shape[0] for weight in module.parameters(recurse=False) if weight.dim() == 3}


def _copied(args: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(value.clone() if isinstance(value, Tensor) else value for value in args)
