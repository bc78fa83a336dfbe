"""The laws that a model must obey to be evaluated with sublayers removed, checked on its loaded weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from core.engine.detection import broken_identity, differs, poked, rest_of
from core.engine.probe import Exactness, Probe, distance
from core.engine.removal import forward_replaced, removed_from
from core.engine.silence import first_of, returned, zeroed
from core.engine.tracing import FAULTS, Received, Trace, logits_of, received_by
from core.errors import CornerstoneError
from core.models.layout import Layer, Layout, Sublayer


def checked_layer(probe: Probe, sublayers: tuple[Sublayer, ...], stays: Sequence[str], returns: int | None) -> Layer:
    """Return a layer with these players, with what was verified of it.

    Args:
        probe: the layer.
        sublayers: its players.
        stays: submodules that are no players although they add to the residual stream.
        returns: the length of the tuple that it returns; None for a tensor.

    Raises:
        CornerstoneError: without its players, the layer does more than scale its input.
    """
    players = [part for sublayer in sublayers for part in sublayer.parts]
    hidden = probe.uneven()
    rest = rest_of(hidden, probe.run(hidden, [*players, *stays]))
    if rest is None:
        raise CornerstoneError(broken_identity(probe, [*players, *stays]))
    if rest == "nothing" and stays:
        rest = rest_of(hidden, probe.run(hidden, players))
    passes, parallel, last = rest == "nothing", False, probe.hidden if rest == "nothing" else None
    if len(sublayers) > 1:
        parallel, last = _joined(probe, sublayers, passes)
    in_turn = last is not None and (sublayers[-1].kind not in {"ffn", "moe"} or _by_token(probe, sublayers, last))
    return Layer(sublayers, parallel=parallel, passes=passes, in_turn=in_turn, returns=returns)


def _joined(probe: Probe, sublayers: Sequence[Sublayer], passes: bool) -> tuple[bool, Tensor | None]:
    """Return whether no player reads another one; and what the last one reads if the layer is one after another."""
    parts = [sublayer.parts for sublayer in sublayers]
    whole = probe.look([part for group in parts for part in group])
    without = [probe.look(whole.parts, group) for group in parts]
    if not any(
        differs(probe, whole, without[gone], part)
        for gone in range(len(parts))
        for other, group in enumerate(parts)
        if other != gone
        for part in group
    ):
        return True, None
    if not passes:
        return False, None
    # Of two players, the second one silent is the first one alone.
    state = without[1].out if len(parts) == 2 else probe.run(probe.hidden, _others(parts, 0))
    for index in range(1, len(parts)):
        last, state = state, probe.run(state, _others(parts, index))
    return False, last if Exactness.of(state.dtype).same(state, whole.out) else None


def _by_token(probe: Probe, sublayers: Sequence[Sublayer], state: Tensor) -> bool:
    """Return whether the last player treats each token by itself."""
    others = _others([sublayer.parts for sublayer in sublayers], len(sublayers) - 1)
    plain, changed = probe.run(state, others), probe.run(poked(state, 0), others)
    added = (plain - state)[:, 1:].double().norm()
    rounding = torch.finfo(state.dtype).eps * plain.double().norm()
    slack = Exactness.of(state.dtype).tolerance / 10 * added + 4 * rounding
    return bool((changed - plain)[:, 1:].double().norm() <= slack)


def _others(parts: Sequence[tuple[str, ...]], alone: int) -> list[str]:
    return [part for index, group in enumerate(parts) if index != alone for part in group]


def refuse_seeing_ahead(model: nn.Module, traced: Trace) -> None:
    """Raise if a token changes what the model says before it."""
    changed = traced.tokens.clone()
    changed[:, -1] = traced.tokens[:, 0]
    before, after = traced.logits[:-1], logits_of(model, changed)[:-1]
    if not bool(torch.isfinite(traced.logits).all()):
        raise CornerstoneError("its logits for a plain text are not finite")
    if distance(after, before) > Exactness.of(before.dtype).tolerance:
        raise CornerstoneError("a token must not change what is said before it, but here it does: it is no decoder")


def layers_are_boxes(model: nn.Module, traced: Trace, layers: Sequence[Layer], other: Trace) -> bool:
    """Return whether the model is its layers, each a box that reads only the hidden states before it, and a head.

    Two states go through the layers in turn: that of the intact model, and that of one without some of its players. A
    model in which a layer reads more from another one is found out, because it then reads what the wrong state left.
    The head is asked for the logits of one text while the model reads another.
    """
    layout = Layout(traced.path, tuple(layers))
    removed = tuple(range(0, layout.starts[-1], 3))
    with removed_from(model, layout, removed):
        truth = (traced.logits, logits_of(model, traced.tokens))
    try:
        received = _entered(model, traced, layers)
        states = [_first(received), _first(received)]
        for traced_layer, call, quiet in zip(traced.layers, received, layout.parts_of(removed), strict=True):
            if traced_layer is None or call is None:
                continue
            states[0] = _box(traced_layer.layer, call, states[0], ())
            states[1] = _box(traced_layer.layer, call, states[1], quiet)
        found = [_head(model, traced, layers, state) for state in states]
        last = [layer for layer in other.layers if layer is not None][-1]
        crossed = _head(model, traced, layers, last.out)
    except torch.OutOfMemoryError:
        raise
    except FAULTS:
        return False  # a layer misses what another one should have given it
    exact = Exactness.of(traced.logits.dtype)
    return all(map(exact.same, found, truth)) and exact.same(crossed, other.logits)


def _box(layer: nn.Module, call: Received, state: Tensor, silent: Sequence[str]) -> Tensor:
    with zeroed(layer, silent):
        return first_of(call.given_to(layer, state.clone()))


def _entered(model: nn.Module, traced: Trace, layers: Sequence[Layer]) -> list[Received | None]:
    """Return what each layer receives while all layers stand aside."""
    received: list[Received | None] = [None] * len(layers)

    def recorder(index: int) -> Callable[..., Any]:
        def record(*args: Any, **kwargs: Any) -> Any:
            call = received_by(args, kwargs)
            received[index] = call
            return returned(call.hidden, layers[index].returns)

        return record

    _run_with(model, traced, [recorder(index) for index in range(len(layers))])
    return received


def _first(received: Sequence[Received | None]) -> Tensor:
    return next(call.hidden for call in received if call is not None)


def _head(model: nn.Module, traced: Trace, layers: Sequence[Layer], state: Tensor) -> Tensor:
    """Return the logits of a state after the last layer, while all layers stand aside."""

    def giving(layer: Layer) -> Callable[..., Any]:
        return lambda *_args, **_kwargs: returned(state.clone(), layer.returns)

    return _run_with(model, traced, [giving(layer) for layer in layers])


def _run_with(model: nn.Module, traced: Trace, steps: Sequence[Callable[..., Any]]) -> Tensor:
    with ExitStack() as stack:
        for layer, step in zip(traced.layers, steps, strict=True):
            if layer is not None:
                stack.enter_context(forward_replaced(layer.layer, step))
        return logits_of(model, traced.tokens)
