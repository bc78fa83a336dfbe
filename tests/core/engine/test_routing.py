"""Mixture-of-experts models: rounding may send a token to other experts, packed or not. Counted, and reported."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel

from core.coalitions.players import Removed
from core.engine.decoder import Decoder
from core.engine.layers import decoder_layers
from core.engine.packing import Row, TokenRequest, pack
from core.engine.sweep import Scores, sweep
from tests.core.engine.test_decoder import PLAYERS, TOLERANCE, model_of, some_documents
from tests.support.swept import layout_in_use
from tests.support.tiny_models import WINDOW

Routes = list[frozenset[int]]
"""The experts of each token of a row, layer after layer; of the last layer, of its scored tokens."""


def swept(model: PreTrainedModel, row: Row, removed: Removed) -> tuple[Scores, list[Routes]]:
    routes: list[Routes] = []

    def note(_router: object, _inputs: object, out: tuple[torch.Tensor, torch.Tensor, torch.Tensor]) -> None:
        routes.append([frozenset(experts) for experts in out[2].tolist()])

    layout = layout_in_use(model)
    layers = decoder_layers(model, layout.path)
    hooks = [layer.mlp.gate.register_forward_hook(note) for layer in layers]
    try:
        return sweep(Decoder(model, layout), row, [removed], batch_tokens=10_000), routes
    finally:
        for hook in hooks:
            hook.remove()


def paths(row: Row) -> list[tuple[int, ...]]:
    """Return for each node the tokens from its root to it."""
    found: list[tuple[int, ...]] = []
    for token, parent in zip(row.tokens.tolist(), row.parents.tolist(), strict=True):
        found.append((*(found[parent] if parent >= 0 else ()), token))
    return found


def by_path(row: Row, layers: list[Routes]) -> dict[tuple[int, tuple[int, ...]], list[frozenset[int]]]:
    nodes, last = paths(row), np.unique(row.nodes).tolist()
    found: dict[tuple[int, tuple[int, ...]], list[frozenset[int]]] = {}
    for index, routes in enumerate(layers):
        there = nodes if len(routes) == len(nodes) else [nodes[node] for node in last]
        for path, experts in zip(there, routes, strict=True):
            found.setdefault((index, path), []).append(experts)
    return found


def flips(packed: dict, apart: dict) -> tuple[int, int]:
    """Return how many routes packing changed, and how many routes there are without it."""
    pairs = [(packed[where][0], experts) for where, several in apart.items() for experts in several]
    return sum(one != other for one, other in pairs), len(pairs)


@pytest.mark.parametrize("seed", range(4))
def test_packed_routes_as_unpacked(seed: int, record_property: Callable[[str, object], None]) -> None:
    model, rng = model_of("mixtral"), random.Random(seed)
    removed = tuple(sorted(rng.sample(range(PLAYERS - 1), 2)))
    flipped = routed = 0
    for document in some_documents(seed):
        one, other = pack([document], WINDOW), pack([document], WINDOW, share=False)
        (packed, routes), (apart, routes_apart) = swept(model, one, removed), swept(model, other, removed)
        here, total = flips(by_path(one, routes), by_path(other, routes_apart))
        flipped, routed = flipped + here, routed + total
        if not here:
            np.testing.assert_allclose(packed.logprobs, apart.logprobs, atol=TOLERANCE, rtol=1e-5)
    record_property("routes", routed)
    record_property("routes flipped", flipped)
    assert routed > 200
    assert flipped <= routed // 100


def test_a_flip_is_counted() -> None:
    model, document = model_of("mixtral"), [TokenRequest((3, 4, 5), (6, 7))]
    row = pack([document], WINDOW)
    _, routes = swept(model, row, ())
    other = [list(layer) for layer in routes]
    other[1][2] = frozenset({3} if 3 not in routes[1][2] else {0, 1} - routes[1][2] | {2})
    total = sum(map(len, routes))
    assert flips(by_path(row, routes), by_path(row, routes)) == (0, total)
    assert flips(by_path(row, routes), by_path(row, other)) == (1, total)
