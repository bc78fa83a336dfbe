"""The truth of models whose experts are players: plain transformers, with the weights of removed experts set to zero.

An expert whose last product has zeros for weights and bias returns zeros, and nothing else of the model changes.
Nothing of the program is used to find or remove an expert: only its number and its layer are the program's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedModel

from core.coalitions.players import Removed, players_of
from core.models.layout import Layout
from tests.support.plain_scores import outputs_zeroed, plain_scores
from tests.support.swept import Documents, swept

_LAST_PRODUCTS: Final = ("down_proj", "down_proj_bias", "output_linear.weight")
"""Tensors with a first axis of experts: the last product of each."""


def expert_truth(
    model: PreTrainedModel, layout: Layout, plain: Layout, documents: Documents, coalitions: Sequence[Removed]
) -> NDArray[np.float64]:
    """Return the log-probabilities of all requests under each coalition.

    Args:
        model: the model, whose weights are as before afterwards.
        layout: its layout with experts as players, which numbers them.
        plain: its layout with mixtures as players.
        documents: documents.
        coalitions: removed players of ``layout``.
    """
    requests = [request for document in documents for request in document]
    scores = []
    for removed in coalitions:
        with ExitStack() as stack:
            others = _remove_experts(stack, model, layout, plain, removed)
            scores.append(plain_scores(model, plain, requests, others))
    return np.array(scores)


def assert_experts_exact(
    model: PreTrainedModel, layout: Layout, plain: Layout, documents: Documents, coalitions: Sequence[Removed]
) -> None:
    """Check that the sweep equals the truth within 1e-4, coalition by coalition, and that experts matter."""
    expected = expert_truth(model, layout, plain, documents, coalitions)
    found = swept(model, layout, documents, coalitions)
    off = {removed: float(gap) for removed, gap in zip(coalitions, np.abs(found - expected).max(axis=1), strict=True)}
    assert not {removed: gap for removed, gap in off.items() if not gap <= 1e-4}
    assert len(np.unique(expected.round(6), axis=0)) > len(coalitions) / 2


@contextmanager
def experts_zeroed(model: PreTrainedModel, layout: Layout, plain: Layout, removed: Removed) -> Iterator[None]:
    """Remove players of ``layout``, single experts among them, inside the block; ``plain`` has mixtures as players."""
    with ExitStack() as stack:
        others = _remove_experts(stack, model, layout, plain, removed)
        stack.enter_context(outputs_zeroed(model, plain, others))
        yield


def _remove_experts(
    stack: ExitStack, model: PreTrainedModel, layout: Layout, plain: Layout, removed: Removed
) -> Removed:
    """Remove experts until the stack closes; return the other players, by their numbers in the plain layout."""
    layers = model.get_submodule(layout.path)
    players, plain_players = players_of(layout.kinds), players_of(plain.kinds)
    others = []
    for number in removed:
        player = players[number]
        if player.kind == "expert":
            stack.enter_context(_without(layers[player.layer], int(player.label.partition(".")[2])))
        else:
            others.append(next(each.number for each in plain_players if each.label == player.label))
    return tuple(others)


@contextmanager
def _without(layer: nn.Module, expert: int) -> Iterator[None]:
    """Set the last product of an expert to zero inside the block."""
    found = list(_last_products(layer, expert))
    kept = [weight.clone() for weight in found]
    handle = _no_identity(layer, expert) if not found else None
    assert found or handle
    with torch.no_grad():
        for weight in found:
            weight.zero_()
    try:
        yield
    finally:
        with torch.no_grad():
            for weight, before in zip(found, kept, strict=True):
                weight.copy_(before)
        if handle is not None:
            handle.remove()


def _last_products(layer: nn.Module, expert: int) -> Iterator[Tensor]:
    for name, weight in layer.named_parameters():
        if "shared" in name or "attention" in name:
            continue
        if name.endswith(_LAST_PRODUCTS) and ("expert" in name or "output_linear" in name) and expert < len(weight):
            yield weight.data[expert]
        elif name.endswith("ffn.experts.mlp.w2"):  # of DBRX, where experts lie one after another
            yield weight.data.view(-1, 32, weight.shape[-1])[expert]


def _no_identity(layer: nn.Module, expert: int) -> Any:
    """Let an expert of Longcat that hands its input on, and so has no weights, have the weight zero in its router."""

    def hook(_module: nn.Module, _args: Any, out: Any) -> Any:
        index = next(each for each in out if not each.is_floating_point())
        return tuple(
            torch.where(index == expert, 0.0, each) if each is not index and each.shape == index.shape else each
            for each in out
        )

    return layer.get_submodule("mlp.router").register_forward_hook(hook)
