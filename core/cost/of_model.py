"""Read from a model what it multiplies; it may lack its weights, as only their shapes count."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from torch import nn
from transformers import PretrainedConfig, PreTrainedModel

from core.cost.work import LayerWork, ModelWork, PlayerWork, RowWork, Sight
from core.engine.experts import shares_met
from core.engine.layers import decoder_layers
from core.engine.packing import Row
from core.engine.widths import attention_width, hidden_width, vocabulary
from core.models.layout import Layer, Layout


def work_of(model: PreTrainedModel, layout: Layout) -> ModelWork:
    """Return what a model with this layout multiplies."""
    config = model.config.get_text_config()
    modules = decoder_layers(model, layout.path)
    seen = [_sight(config, index) for index in range(len(modules))]
    sights = tuple(dict.fromkeys(seen))
    each = zip(layout.layers, modules, seen, strict=True)
    output = model.get_output_embeddings()
    return ModelWork(
        layers=tuple(_layer(layer, module, config, sights.index(sight)) for layer, module, sight in each),
        sights=sights,
        attention_width=attention_width(config),
        head=vocabulary(config) * hidden_width(config) if output is None else output.weight.numel(),
        bytes=sum(weight.numel() * weight.element_size() for weight in model.parameters()),
        shares=layout.way != "whole",
    )


def row_work(model: ModelWork, row: Row) -> RowWork:
    """Return the sizes of a packed row, as the attentions of a model see it."""
    return RowWork(len(row), len(set(row.nodes.tolist())), tuple(_pairs(sight, row) for sight in model.sights))


def _layer(layer: Layer, module: nn.Module, config: PretrainedConfig, sight: int) -> LayerWork:
    inside: set[int] = set()
    players = []
    for sublayer in layer.sublayers:
        parts = [module.get_submodule(part) for part in (*sublayer.parts, *sublayer.feeds)]
        inside |= {id(weight) for part in parts for weight in part.parameters()}
        weights = sum(_weights(part, config) for part in parts)
        players.append(PlayerWork(weights, sublayer.by_token, sublayer.kind == "attn"))
    beside = _weights(module, config, beside=inside)
    size = sum(weight.numel() * weight.element_size() for weight in module.parameters())
    return LayerWork(tuple(players), beside, layer.passes, sight, size)


def _sight(config: PretrainedConfig, index: int) -> Sight:
    """Return how far the attention of a layer sees: full, sliding or chunked."""
    kinds = getattr(config, "layer_types", None)
    kind = kinds[index] if kinds else "sliding_attention"
    if kind == "chunked_attention" and (chunk := getattr(config, "attention_chunk_size", None)):
        return Sight(chunk=chunk)
    window = getattr(config, "sliding_window", None) if kind == "sliding_attention" else None
    return Sight(window=window if type(window) is int else None)


def _pairs(sight: Sight, row: Row) -> float:
    """Return how many pairs (token, token it sees) a row has."""
    if sight.chunk is not None:
        return float((row.positions % sight.chunk + 1).sum())
    before = row.positions + 1
    return float((before if sight.window is None else np.minimum(before, sight.window)).sum())


def _weights(module: nn.Module, config: PretrainedConfig, beside: Collection[int] = ()) -> float:
    """Return the number of entries in the matrices that a token is multiplied with; vectors do not count.

    Of experts, those that a token is routed to count. Parameters whose ``id`` is in ``beside`` do not.
    """
    shares = shares_met(module, config)
    return sum(part * each.numel() for each, part in shares if each.dim() > 1 and id(each) not in beside)
