"""Read requests by a plain forward of the model, and keep what passed by: the truth for faster ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from core.engine.decoder import Decoder
from core.engine.layers import decoder_layers
from core.engine.packing import Row
from core.engine.scoring import Scores
from core.engine.silence import first_of, watched
from core.engine.sweep import ignore_batches
from core.engine.tracing import received_by
from core.engine.whole import score_whole
from core.models.layout import Layer


@dataclass(frozen=True, slots=True)
class PlainRun:
    """What the intact model made of the ``t`` tokens of some requests, each of which it read by itself.

    ``scores`` are those of the requests. For each layer, ``states`` has what it received, of shape (t, ...), and
    ``mixed`` what each of its parts that mix tokens returned, of shape (t, width); None where it is idle or has no such
    part.
    """

    scores: Scores
    states: tuple[Tensor | None, ...]
    mixed: tuple[tuple[Tensor, ...] | None, ...]


def plain_run(decoder: Decoder, row: Row) -> PlainRun:
    """Return what a plain forward makes of a row's requests, which have one length and are few."""
    received: dict[int, Tensor] = {}
    modules = decoder_layers(decoder.model, decoder.layout.path)
    parts = [mixing_parts(layer) for layer in decoder.layout.layers]
    with ExitStack() as stack:
        seen = [stack.enter_context(watched(*each)) for each in zip(modules, parts, strict=True)]
        for index, module in enumerate(modules):
            handle = module.register_forward_pre_hook(_keeping(received, index), with_kwargs=True)
            stack.callback(handle.remove)
        (scores,) = score_whole(decoder, [row], [()], ignore_batches)
    states = tuple(received.get(index) for index in range(len(modules)))
    mixed = (
        by_token(found, each, len(state)) if state is not None and each else None
        for found, each, state in zip(seen, parts, states, strict=True)
    )
    return PlainRun(scores, states, tuple(mixed))


def mixing_parts(layer: Layer) -> list[str]:
    """Return the submodules of a layer's players that do not treat each token by itself."""
    return [part for each in layer.sublayers if not each.by_token for part in each.parts]


def by_token(seen: dict[str, Any], parts: Sequence[str], tokens: int) -> tuple[Tensor, ...]:
    """Return what some parts of a layer returned, of shape (tokens, width) each."""
    return tuple(first_of(seen[part]).reshape(tokens, -1).float().cpu() for part in parts)


def _keeping(received: dict[int, Tensor], index: int) -> Callable[..., None]:
    def keep(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        received[index] = received_by(args, kwargs).hidden.flatten(0, 1)

    return keep
