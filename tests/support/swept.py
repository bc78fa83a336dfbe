"""The way under test: a model's verified layout, and the sweep by it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedModel

from core.coalitions.players import Removed
from core.engine.decoder import Decoder
from core.engine.onednn import WORTH_PACKING
from core.engine.packing import TokenRequest, pack
from core.engine.packing_law import verified
from core.engine.sweep import sweep
from core.engine.verified_layout import layout_of
from core.models.families import HINTS
from core.models.layout import Layout
from tests.support.decoder_sizes import FIRST_SPECIAL
from tests.support.plain_scores import plain_scores, players_parts

TOLERANCE = 1e-4
IN_OTHER_ORDER = 3e-4
"""The same where products sum in another order than plain transformers: so far it may be off the exact value itself."""
Documents = list[list[TokenRequest]]


@cache
def layout_in_use(model: PreTrainedModel) -> Layout:
    """Return the layout that the program works with once it has loaded a model, verified on its weights."""
    return verified(model, layout_of(model, HINTS))


def some_documents(seed: int, contexts: Sequence[int] = (12, 23, 1)) -> Documents:
    """Return documents with contexts of these lengths, each with two or three continuations that share it.

    The last document's requests share nothing.
    """
    rng = random.Random(seed)

    def tokens(count: int) -> tuple[int, ...]:
        return tuple(rng.randrange(3, FIRST_SPECIAL) for _ in range(count))

    sizes = [(1, 2, 4), (1, 3), (2,)]
    documents = [
        [TokenRequest(context, tokens(size)) for size in sizes[index % 3]]
        for index, context in enumerate(map(tokens, contexts))
    ]
    ending = tokens(3)
    return [*documents, [TokenRequest((*tokens(5), *ending[:1]), ending), TokenRequest(tokens(7), ending)]]


def some_coalitions(players: int) -> list[Removed]:
    """Return the intact model, all ablations, some windows, and all but the first and all players removed."""
    single: list[Removed] = [(player,) for player in range(players)]
    windows = [tuple(range(at, min(at + size, players))) for at, size in ((0, 2), (1, 3), (players // 2, 2))]
    ends = [tuple(range(1, players)), tuple(range(players))]
    return list(dict.fromkeys([(), *single, *windows, *ends]))


def swept(
    model: PreTrainedModel,
    layout: Layout,
    documents: Documents,
    coalitions: Sequence[Removed],
    *,
    laid_out: bool = False,
) -> NDArray[np.float64]:
    """Return the log-probabilities of all requests under each coalition, as the program computes them.

    With ``laid_out``, weights are laid out for fast products, as in runs of useful size.
    """
    row = pack(documents, max(len(each.context) + len(each.continuation) for bundle in documents for each in bundle))
    with patch("core.engine.decoder.WORTH_PACKING", 0 if laid_out else WORTH_PACKING):
        return np.asarray(sweep(Decoder(model, layout), row, coalitions, batch_tokens=64).logprobs)


def truth(
    model: PreTrainedModel, layout: Layout, documents: Documents, coalitions: Sequence[Removed]
) -> NDArray[np.float64]:
    """Return the same from plain transformers."""
    requests = [request for document in documents for request in document]
    return np.array([plain_scores(model, layout, requests, removed) for removed in coalitions])


def assert_exact(model: PreTrainedModel, layout: Layout, documents: Documents, coalitions: Sequence[Removed]) -> None:
    """Check that the sweep by a layout equals the truth, coalition by coalition, also with weights laid out."""
    expected = truth(model, layout, documents, coalitions)
    assert expected.std() > 0.1  # scores of a useful size
    for laid_out, tolerance in ((False, TOLERANCE), (True, IN_OTHER_ORDER)):
        found = swept(model, layout, documents, coalitions, laid_out=laid_out)
        worst = np.abs(found - expected).max(axis=1)
        off = {coalitions[index]: float(worst[index]) for index in np.flatnonzero(~(worst <= tolerance)).tolist()}
        assert not off, f"off by more than {tolerance} with these players removed: {off}; weights laid out: {laid_out}"


def count_players(layout: Layout) -> int:
    return len(players_parts(layout))


def off_by(model: PreTrainedModel, layout: Any, documents: Documents, coalitions: Sequence[Removed]) -> float:
    """Return how far a sweep by a layout is from the truth; infinite if it breaks."""
    try:
        found = swept(model, layout, documents, coalitions)
    except (RuntimeError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return float("inf")
    return float(np.nan_to_num(np.abs(found - truth(model, layout, documents, coalitions)), nan=np.inf).max())
