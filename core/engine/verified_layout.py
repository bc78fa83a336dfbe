"""Find the layout of a loaded model, and verify it on its weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from core.engine.detection import players_of_layer
from core.engine.laws import checked_layer, layers_are_boxes, refuse_seeing_ahead
from core.engine.offloaded import brought_in
from core.engine.probe import Probe
from core.engine.tracing import LayerTrace, find_layers, trace, two_texts
from core.errors import CornerstoneError
from core.models.families import NO_HINT, Hint
from core.models.layout import Layer, Layout, Sublayer

Known = dict[Any, tuple[Sublayer, ...]]


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
    path = find_layers(model, tokens)
    traced = trace(model, path, tokens)
    refuse_seeing_ahead(model, traced)
    known: Known = {}
    layers = []
    for index, layer in enumerate(traced.layers):
        try:
            layers.append(Layer(()) if layer is None else _layer(model, layer, hint, known))
        except CornerstoneError as error:
            raise CornerstoneError(f"layer {index}: {error}") from error
    if not any(layer.sublayers for layer in layers):
        raise CornerstoneError("none of its layers has a part that could be removed")
    boxes = layers_are_boxes(model, traced, layers, trace(model, path, others))
    return Layout(path, tuple(layers), "unpacked" if boxes else "whole")


def _layer(model: nn.Module, traced: LayerTrace, hint: Hint, known: Known) -> Layer:
    """Return a layer. Its players are looked for once for all layers that are made alike; its laws are its own."""
    length = traced.received.hidden.shape[1]
    if traced.received.hidden.shape[0] != 1 or traced.out.shape != traced.received.hidden.shape:
        raise CornerstoneError(
            f"hidden states must have a row for each of {length} tokens before and after a layer, but their shapes are "
            f"{tuple(traced.received.hidden.shape)} and {tuple(traced.out.shape)}"
        )
    with brought_in(traced.layer.modules()):
        probe = Probe(traced)
        made = _made(traced.layer)
        if made not in known:
            known[made] = hint.players_in(dict(traced.layer.named_modules())) or players_of_layer(
                model, probe, hint.stays
            )
        stays = [part for part in hint.stays if part in dict(traced.layer.named_modules())]
        return checked_layer(probe, known[made], stays, traced.returns)


def _made(layer: nn.Module) -> Any:
    """Return how a layer is made: its classes, and the shapes of its weights."""
    return (
        tuple((path, type(module)) for path, module in layer.named_modules()),
        tuple((name, tuple(weight.shape)) for name, weight in layer.named_parameters()),
    )
