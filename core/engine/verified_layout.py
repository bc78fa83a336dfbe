"""Find the layout of a loaded model, and verify it on its weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import nn
from transformers import PreTrainedModel

from core.engine.detection import has_idle_parts, held, players_of_layer
from core.engine.laws import checked_layer, layers_are_boxes, refuse_seeing_ahead
from core.engine.layers import Make, make_of
from core.engine.offloaded import brought_in
from core.engine.probe import Probe
from core.engine.tracing import FAULTS, LENGTH, LayerTrace, Trace, find_layers, trace, two_texts
from core.errors import CornerstoneError
from core.models.families import NO_HINT, Hint
from core.models.layout import Layer, Layout, Sublayer

Players = dict[Make, tuple[Sublayer, ...]]


def layout_of(model: PreTrainedModel, hints: Mapping[str, Hint]) -> Layout:
    """Return the layout of a model: its layers, their players, and whether layers can be evaluated one by one.

    The way is ``whole`` if a layer takes more from another one than hidden states, else ``unpacked``: whether requests
    can share a row is for others to verify.

    Args:
        model: a loaded model, with its head.
        hints: what is known of families, by their ``model_type``.

    Raises:
        CornerstoneError: the model breaks a law; the sentence says which, and where.
    """
    family = model.config.model_type
    hint = hints.get(family, hints.get(model.config.get_text_config().model_type, NO_HINT))
    try:
        with torch.inference_mode():
            return _layout(model, hint)
    except CornerstoneError as error:
        raise CornerstoneError(f"{type(model).__name__} ({family}) cannot be evaluated: {error}") from error


def _layout(model: PreTrainedModel, hint: Hint) -> Layout:
    tokens, others = two_texts(model)
    try:
        path = find_layers(model, tokens)
    except torch.OutOfMemoryError:
        raise
    except FAULTS as error:
        raise CornerstoneError(f"it fails on a plain text of {LENGTH} tokens: {error}") from error
    traced = trace(model, path, tokens)
    refuse_seeing_ahead(model, traced)
    known = _players(model, traced, hint)
    layers = []
    for index, layer in enumerate(traced.layers):
        with _naming(index):
            layers.append(Layer(()) if layer is None else _checked(layer, hint, known[make_of(layer.layer)]))
    if not any(layer.sublayers for layer in layers):
        raise CornerstoneError("none of its layers has a part that could be removed")
    boxes = layers_are_boxes(model, traced, layers, trace(model, path, others))
    return Layout(path, tuple(layers), "unpacked" if boxes else "whole")


def _players(model: nn.Module, traced: Trace, hint: Hint) -> Players:
    """Return the players of layers that are made alike, which are looked for once."""
    alike: dict[Make, list[tuple[int, LayerTrace]]] = {}
    for index, layer in enumerate(traced.layers):
        if layer is not None:
            alike.setdefault(make_of(layer.layer), []).append((index, layer))
    found: Players = {}
    for made, members in alike.items():
        told = hint.players_in({path for path, _ in members[0][1].layer.named_modules()})
        found[made] = told or _players_among(model, members, hint)
    return found


def _players_among(model: nn.Module, alike: Sequence[tuple[int, LayerTrace]], hint: Hint) -> tuple[Sublayer, ...]:
    """Return the players of some layers by the first one in which nothing is idle: a pruned sublayer shows nothing."""
    for last, (index, layer) in enumerate(alike, start=1):
        with _naming(index), brought_in(layer.layer.modules()):
            _refuse_other_shapes(layer)
            if last < len(alike) and has_idle_parts(Probe(layer)):
                continue
            return players_of_layer(model, Probe(layer), hint)
    raise AssertionError("no layers are made alike")


def _checked(traced: LayerTrace, hint: Hint, players: tuple[Sublayer, ...]) -> Layer:
    _refuse_other_shapes(traced)
    with brought_in(traced.layer.modules()):
        return checked_layer(Probe(traced), players, held(traced.layer, hint.stays), traced.returns)


def _refuse_other_shapes(traced: LayerTrace) -> None:
    before, after = tuple(traced.received.hidden.shape), tuple(traced.out.shape)
    if before[:1] != (1,):
        raise CornerstoneError(f"it hands on several streams of hidden states, of shape {before}, which it mixes")
    if before[1:2] != (LENGTH,) or after != before:
        raise CornerstoneError(
            f"hidden states must be one row of {LENGTH} tokens before and after it, but their shapes are {before} and "
            f"{after}"
        )


@contextmanager
def _naming(index: int) -> Iterator[None]:
    """Say which layer an error is about."""
    try:
        yield
    except CornerstoneError as error:
        raise CornerstoneError(f"layer {index}: {error}") from error
