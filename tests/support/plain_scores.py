"""The truth that every fast way is held against: plain transformers, one request at a time, with outputs zeroed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from core.coalitions.players import Removed
from core.engine.packing import TokenRequest
from core.models.layout import Layout


def players_parts(layout: Layout) -> list[tuple[int, tuple[str, ...]]]:
    """Return each player's layer and submodules, in the order in which players run."""
    return [(index, sub.parts) for index, layer in enumerate(layout.layers) for sub in layer.sublayers]


def plain_scores(
    model: PreTrainedModel, layout: Layout, requests: Sequence[TokenRequest], removed: Removed
) -> list[float]:
    """Return the log-probability of each request's continuation, in nats."""
    with outputs_zeroed(model, layout, removed):
        return [_score(model, request) for request in requests]


@contextmanager
def outputs_zeroed(model: PreTrainedModel, layout: Layout, removed: Removed) -> Iterator[None]:
    """Let the parts of removed players return zeros inside the block; whatever else they return stays."""
    layers, players = model.get_submodule(layout.path), players_parts(layout)
    handles = []
    for player in removed:
        index, parts = players[player]
        for part in parts:
            handles.append(layers[index].get_submodule(part).register_forward_hook(_zeros))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _zeros(_module: object, _inputs: object, out: Any) -> Any:
    if isinstance(out, Tensor):
        return torch.zeros_like(out)
    return (torch.zeros_like(out[0]), *out[1:])


def _score(model: PreTrainedModel, request: TokenRequest) -> float:
    tokens = (request.context + request.continuation)[:-1]
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([tokens]), use_cache=False).logits[0]
    targets = torch.tensor(request.continuation)
    logprobs = logits[-len(targets) :].double().log_softmax(-1)
    return float(logprobs.gather(1, targets[:, None]).sum())
