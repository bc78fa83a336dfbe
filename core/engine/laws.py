"""The laws that a model must obey to be evaluated with sublayers removed, checked on its loaded weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
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

Silenced = Callable[[Sequence[Sublayer]], AbstractContextManager[None]]
"""Silences some players of a layer inside a block."""


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
    passes, parallel, turn = rest == "nothing", False, None
    if len(sublayers) > 1:
        parallel, turn = _joined(probe, sublayers, passes)
    elif passes:
        turn = probe.hidden, probe.run(probe.hidden)
    others = _others([sublayer.parts for sublayer in sublayers], len(sublayers) - 1)
    in_turn = turn is not None and (
        not sublayers[-1].by_token or _by_token(*turn, lambda state: probe.run(state, others))
    )
    return Layer(sublayers, parallel=parallel, passes=passes, in_turn=in_turn, returns=returns)


def is_in_turn(probe: Probe, sublayers: Sequence[Sublayer], out: Tensor, silenced: Silenced) -> bool:
    """Return whether a layer returns its input without its players, and is the same as these one after another.

    Both hold bit by bit, and the last player treats each token by itself if it is of such a kind. That is shown by few
    and cheap runs. Where it is not, ``checked_layer`` tells what the layer is.

    Args:
        probe: the layer.
        sublayers: its players.
        out: what the layer returned in the trace.
        silenced: silences some of its players inside a block.
    """

    def run(state: Tensor, silent: Sequence[Sublayer]) -> Tensor:
        with silenced(silent):
            return probe.run(state)

    hidden, state = probe.uneven(), probe.hidden
    if rest_of(hidden, run(hidden, sublayers)) != "nothing":
        return False
    for alone in sublayers:
        others = [sublayer for sublayer in sublayers if sublayer is not alone]
        before, state = state, run(state, others)
    if not torch.equal(state, out):
        return False
    return not sublayers[-1].by_token or _by_token(before, state, lambda changed: run(changed, others))


def _joined(probe: Probe, sublayers: Sequence[Sublayer], passes: bool) -> tuple[bool, tuple[Tensor, Tensor] | None]:
    """Return whether no player reads another one.

    If the layer is one after another, return what the last one reads, and what the layer returns for it without the
    others.
    """
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
    return False, (last, state) if Exactness.of(state.dtype).same(state, whole.out) else None


def _by_token(state: Tensor, plain: Tensor, alone: Callable[[Tensor], Tensor]) -> bool:
    """Return whether a player alone, which makes ``plain`` of a state, treats each token by itself."""
    changed = alone(poked(state, 0))
    added = (plain - state)[:, 1:].double().norm()
    rounding = torch.finfo(state.dtype).eps * plain.double().norm()
    slack = Exactness.of(state.dtype).tolerance / 10 * added + 4 * rounding
    return bool((changed - plain)[:, 1:].double().norm() <= slack)


def _others(parts: Sequence[tuple[str, ...]], alone: int) -> list[str]:
    return [part for index, group in enumerate(parts) if index != alone for part in group]


def refuse_seeing_ahead(one: Trace, other: Trace) -> None:
    """Raise if tokens change what the model says before them, by traces of two texts that begin alike."""
    alike = _alike(one, other)
    if not bool(torch.isfinite(one.logits).all()):
        raise CornerstoneError("its logits for a plain text are not finite")
    if distance(other.logits[:alike], one.logits[:alike]) > Exactness.of(one.logits.dtype).tolerance:
        raise CornerstoneError("a token must not change what is said before it, but here it does: it is no decoder")


def _alike(one: Trace, other: Trace) -> int:
    """Return with how many equal tokens two texts begin."""
    return int((one.tokens == other.tokens)[0].long().cumprod(0).sum())


def layers_are_boxes(model: nn.Module, traced: Trace, layers: Sequence[Layer], other: Trace) -> bool:
    """Return whether the model is its layers, each a box that reads only the hidden states before it, and a head.

    Two states go through the layers in turn: that of the intact model, and that of one without some of its players. A
    model in which a layer reads more from another one is found out, because it then reads what the wrong state left.
    The head is asked for the logits of one text while the model reads another, ``other``, where the two differ.
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
        # The model's own state has its own logits: the head is asked for those of others below.
        own = torch.equal(states[0], _last(traced))
        found = [traced.logits if own else _head(model, traced, layers, states[0])]
        found += [_head(model, traced, layers, states[1])]
        crossed = _head(model, traced, layers, _last(other))
    except torch.OutOfMemoryError:
        raise
    except FAULTS:
        return False  # a layer misses what another one should have given it
    exact, alike = Exactness.of(traced.logits.dtype), _alike(traced, other)
    return all(map(exact.same, found, truth)) and exact.same(crossed[alike:], other.logits[alike:])


def _box(layer: nn.Module, call: Received, state: Tensor, silent: Sequence[str]) -> Tensor:
    with zeroed(layer, silent):
        return first_of(call.given_to(layer, state.clone()))


def _entered(model: nn.Module, traced: Trace, layers: Sequence[Layer]) -> list[Received | None]:
    """Return what each layer receives while all layers stand aside."""
    received: list[Received | None] = [None] * len(layers)
    last = max(index for index, layer in enumerate(traced.layers) if layer is not None)

    def recorder(index: int) -> Callable[..., Any]:
        def record(*args: Any, **kwargs: Any) -> Any:
            call = received_by(args, kwargs)
            received[index] = call
            if index == last:
                raise _Entered
            return returned(call.hidden, layers[index].returns)

        return record

    with suppress(_Entered):
        _run_with(model, traced, [recorder(index) for index in range(len(layers))])
    return received


class _Entered(Exception):  # noqa: N818
    """Ends a forward once all layers have been called."""


def _first(received: Sequence[Received | None]) -> Tensor:
    return next(call.hidden for call in received if call is not None)


def _last(traced: Trace) -> Tensor:
    return [layer.out for layer in traced.layers if layer is not None][-1]


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
