"""Find the layout of a loaded model, and verify it on its weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Final

import torch
from torch import nn
from transformers import PreTrainedModel

from core.engine.detection import has_idle_parts, held, players_of_layer
from core.engine.laws import checked_layer, is_in_turn, layers_are_boxes, refuse_seeing_ahead
from core.engine.layers import Make, decoder_layers, make_of
from core.engine.load_faults import gist
from core.engine.offloaded import brought_in
from core.engine.probe import Probe
from core.engine.stand_ins import StandIns
from core.engine.tracing import LENGTH, LayerTrace, Trace, find_layers, trace, two_texts
from core.errors import CornerstoneError
from core.models.families import NO_HINT, Hint
from core.models.layout import Layer, Layout, Sublayer

_ALIKE: Final = 7
"""With how many equal tokens two texts begin, by which it shows whether a token sees those after it."""

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
        traced = find_layers(model, tokens)
    except (torch.OutOfMemoryError, CornerstoneError):
        raise
    except Exception as error:  # models raise all kinds where the numbers of a configuration do not suit each other
        raise CornerstoneError(
            f"it fails on a plain text of {LENGTH} tokens; its config.json may contradict itself ({gist(error)})"
        ) from error
    other = trace(model, traced.path, torch.cat([tokens[:, :_ALIKE], others[:, _ALIKE:]], dim=1))
    refuse_seeing_ahead(traced, other)
    layers = _layers(model, traced, hint)
    if not any(layer.sublayers for layer in layers):
        raise CornerstoneError("none of its layers has a part that could be removed")
    boxes = layers_are_boxes(model, traced, layers, other)
    return Layout(traced.path, tuple(layers), "unpacked" if boxes else "whole")


def _layers(model: PreTrainedModel, traced: Trace, hint: Hint) -> list[Layer]:
    """Return the layers, verified. One that is made like another has the same form, if that holds for it too."""
    players = _players(model, traced, hint)
    stand_ins = StandIns(model.config.get_text_config(), decoder_layers(model, traced.path))
    layers: list[Layer] = []
    found: dict[Make, Layer] = {}
    for index, layer in enumerate(traced.layers):
        if layer is None:
            layers.append(Layer(()))
            continue
        make = make_of(layer.layer)
        with _naming(index), brought_in(layer.layer.modules()):
            _refuse_other_shapes(layer)
            probe, like = Probe(layer), found.get(make)
            silenced = partial(stand_ins.silenced, index, run=partial(probe.run, probe.hidden))
            if like is None or not is_in_turn(probe, players[make], layer.out, silenced):
                like = checked_layer(probe, players[make], held(layer.layer, hint.stays), layer.returns)
        if like.in_turn and len(like.sublayers) > 1:
            found[make] = like
        layers.append(replace(like, returns=layer.returns))
    return layers


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
