"""Make the routed experts of chosen layers players, in place of their mixture, and verify that on the weights.

An expert that is removed adds nothing, and its weight is not given to others. What else a mixture has, such as a shared
expert, is no player: it stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from core.coalitions.expert_layers import chosen_layers, refuse_too_many
from core.engine.expert_silence import gone_from, routing_of, without_experts
from core.engine.find_experts import ExpertCall, find_experts
from core.engine.layers import Make, make_of
from core.engine.offloaded import brought_in
from core.engine.probe import Exactness, Probe
from core.engine.silence import zeroed
from core.engine.tracing import LayerTrace, trace, two_texts
from core.errors import CornerstoneError
from core.models.layout import Experts, Layer, Layout, Sublayer


def with_expert_players(model: PreTrainedModel, layout: Layout, layers: str) -> Layout:
    """Return a layout in which the mixtures of some layers are replaced by their routed experts, in order of numbers.

    Args:
        model: a loaded model, with its head.
        layout: its layout, with mixtures as players.
        layers: the layers, as ``core.coalitions.expert_layers`` writes them.

    Raises:
        CornerstoneError: the model has no such layers, too many experts, or experts that break a law.
    """
    chosen = chosen_layers(layers, layout.kinds)
    tokens, _ = two_texts(model)
    made = list(layout.layers)
    with torch.inference_mode():
        traced = trace(model, layout.path, tokens).layers
        found = {}
        for index in chosen:
            with _naming(model, index), _present(traced[index]) as probe:
                found[index] = find_experts(probe, _mixture(layout.layers[index]))
        refuse_too_many(layers, [experts.count for experts, _ in found.values()])
        known: set[Make] = set()
        for index, (experts, call) in found.items():
            with _naming(model, index), _present(traced[index]) as probe:
                make = make_of(probe.layer)
                _refuse_uncounted(experts, call, probe.layer, one_by_one=make not in known)
                known.add(make)
                layer = layout.layers[index].with_experts(experts)
                made[index] = replace(layer, passes=layer.passes and _passes(probe, layer))
    return replace(layout, layers=tuple(made))


@contextmanager
def _present(traced: LayerTrace | None) -> Iterator[Probe]:
    """Yield a layer with its weights present."""
    assert traced is not None  # a layer that does not run has no players
    with brought_in(traced.layer.modules()):
        yield Probe(traced)


def _mixture(layer: Layer) -> Sublayer:
    """Return the only mixture of a layer."""
    mixtures = [sublayer for sublayer in layer.sublayers if sublayer.kind == "moe"]
    if len(mixtures) > 1:
        raise CornerstoneError("it has two mixtures, whose experts would have the same numbers")
    return mixtures[0]


def _passes(probe: Probe, layer: Layer) -> bool:
    """Return whether a layer returns its input, bit by bit, without its players: nothing of the mixture stays."""
    assert layer.experts is not None
    hidden = probe.uneven()
    others = [part for sublayer in layer.sublayers for part in sublayer.parts]
    every = gone_from(layer.experts, [range(layer.experts.count)])
    with zeroed(probe.layer, others), without_experts(probe.layer, layer.experts, every):
        return torch.equal(probe.run(hidden), hidden)


def _refuse_uncounted(experts: Experts, call: ExpertCall, layer: nn.Module, *, one_by_one: bool) -> None:
    """Raise if what experts add cannot be told apart: all of it, and each expert's own part.

    Args:
        experts: the experts.
        call: the call that computes them.
        layer: their layer.
        one_by_one: remove each expert that is chosen; otherwise only two halves of all.

    Raises:
        CornerstoneError: a law fails.
    """

    def without(gone: Sequence[int]) -> Tensor:
        with without_experts(layer, experts, gone_from(experts, [gone])):
            return call.again()

    numbers, exact = range(experts.count), Exactness.of(call.out.dtype)
    if not exact.same(call.again(), call.out):
        raise CornerstoneError(f"{experts.path} must return the same for the same tokens, but it does not")
    if bool(without(numbers).any()):
        raise CornerstoneError(
            f"{experts.path} must add nothing without all of its {experts.count} experts, but it does"
        )
    groups = [[number] for number in _met(experts, call)] if one_by_one else [numbers[::2], numbers[1::2]]
    added = torch.zeros_like(call.out, dtype=torch.float64)
    for group in groups:
        part = call.out.double() - without(group).double()
        _refuse_elsewhere(experts, call, group, part)
        added += part
    if not exact.same(added, call.out):
        raise CornerstoneError(
            f"what its experts add one by one must be what {experts.path} returns, but it is not: an expert's weight "
            "goes to others when it is removed, or something else is in the sum"
        )


def _met(experts: Experts, call: ExpertCall) -> list[int]:
    """Return the experts that a text is routed to; all of them where that does not show."""
    routing = routing_of(call.args, call.kwargs) if experts.form == "indexed" else None
    return list(range(experts.count)) if routing is None else sorted(set(routing.index.flatten().tolist()))


def _refuse_elsewhere(experts: Experts, call: ExpertCall, group: Sequence[int], part: Tensor) -> None:
    """Raise if the removal of experts changes a token that is routed to none of them."""
    routing = routing_of(call.args, call.kwargs) if experts.form == "indexed" else None
    if routing is None:
        return
    wanted = torch.tensor(list(group), device=routing.index.device)
    routed = torch.isin(routing.index.long(), wanted).any(dim=-1).flatten().to(part.device)
    rows, size = part.reshape(len(routed), -1), call.out.double().reshape(len(routed), -1).norm(dim=-1)
    slack = Exactness.of(call.out.dtype).tolerance / 10 * size
    if bool((rows.norm(dim=-1) > slack)[~routed].any()):
        raise CornerstoneError(
            f"without expert {group[0]} {experts.path} must change only tokens that are routed to it, but it changes "
            "others"
        )


@contextmanager
def _naming(model: PreTrainedModel, index: int) -> Iterator[None]:
    """Say which layer of which model an error is about."""
    try:
        yield
    except CornerstoneError as error:
        name = f"{type(model).__name__} ({model.config.model_type})"
        raise CornerstoneError(f"the experts of {name} cannot be players: layer {index}: {error}") from error
