"""Proxies beside made-up outcomes: which are compared, over which documents, and which agree."""

from __future__ import annotations

import numpy as np
import pytest

from core.coalitions.grouping import Grouping, grouping
from core.coalitions.players import Removed, players_of
from core.coalitions.schedules import ablation, windows
from core.errors import CornerstoneError
from core.proxies.compare import Compared, correlation_rows, proxy_rows, targets_of
from core.proxies.measure import Proxies

LAYERS, DOCUMENTS = 6, 20
PLAYERS = players_of([("attn", "ffn")] * LAYERS)
SUBLAYERS, BY_LAYER = grouping("sublayers", PLAYERS), grouping("layers", PLAYERS)
WORTH = np.linspace(0.5, 0.0, len(PLAYERS))


def scores(coalitions: list[Removed], seed: int = 0) -> dict[Removed, np.ndarray]:
    """An additive game: each player is worth its ``WORTH``, and documents differ a little."""
    noise = np.random.default_rng(seed).normal(0, 0.001, DOCUMENTS)
    return {removed: 1 - sum(WORTH[p] for p in removed) + noise * (1 + len(removed)) for removed in coalitions}


def proxies(seed: int = 1) -> Proxies:
    """Block influence that ranks as the worth does, and a relative norm that ranks the other way round."""
    noise = np.random.default_rng(seed).normal(0, 0.0001, DOCUMENTS)
    influence = WORTH[:, None] ** 2 + noise
    sublayers = np.stack([np.stack([influence] * 2), np.stack([-influence] * 2)])
    return Proxies(sublayers, sublayers[:, :, ::2])


def of(stored: dict[Removed, np.ndarray]) -> Compared:
    return Compared("m", "t", "mid", "tid", "acc", stored)


def test_what_ranks_alike_correlates_wholly_and_what_ranks_inversely_the_other_way() -> None:
    rows = list(correlation_rows(proxies(), SUBLAYERS, of(scores(windows(len(PLAYERS), 4)))))
    assert {(row.proxy, row.tokens, row.target) for row in rows} == {
        (proxy, tokens, target)
        for proxy in ("block influence", "relative norm")
        for tokens in ("all", "not the first")
        for target in ("drop", "window-first", "window-ends")
    }
    for row in rows:
        sign = 1 if row.proxy == "block influence" else -1
        assert (row.spearman, row.kendall) == (pytest.approx(sign), pytest.approx(sign))
        assert row.spearman_low == pytest.approx(row.spearman_high, abs=0.1)
        assert (row.n, row.top3_found, row.reliability) == (DOCUMENTS, 3 if sign > 0 else 0, pytest.approx(1, abs=0.02))


def test_layers_are_compared_with_the_drop_of_both_their_sublayers() -> None:
    stored = scores(windows(len(PLAYERS), 2))
    rows = proxy_rows(proxies(), BY_LAYER, of(stored))
    assert [row.label for row in rows][:2] == ["Layer 0", "Layer 1"]
    assert [row.drop for row in rows] == pytest.approx(
        [float((stored[()] - stored[2 * i, 2 * i + 1]).mean()) for i in range(LAYERS)]
    )
    assert {row.target for row in correlation_rows(proxies(), BY_LAYER, of(stored))} == {"drop"}


def test_only_documents_that_have_everything_are_compared() -> None:
    stored = scores(ablation(len(PLAYERS)))
    stored[3,] = np.where(np.arange(DOCUMENTS) < 4, np.nan, stored[3,])
    stored[2,] = np.where(np.arange(DOCUMENTS) == 4, -np.inf, stored[2,])
    matrix, documents = targets_of(stored, SUBLAYERS)["drop"]
    assert documents == list(range(5, DOCUMENTS))
    assert matrix.shape == (len(PLAYERS), DOCUMENTS - 5)
    np.testing.assert_allclose(matrix[3], (stored[()] - stored[3,])[5:])
    assert {row.n for row in correlation_rows(proxies(), SUBLAYERS, of(stored))} == {DOCUMENTS - 5}
    (row, *_) = proxy_rows(proxies(), SUBLAYERS, of(stored))
    assert (row.n, row.n_stored, row.phi_window_first) == (DOCUMENTS, DOCUMENTS - 5, None)


def test_without_anything_stored_there_are_proxies_alone() -> None:
    (row, *_) = proxy_rows(proxies(), SUBLAYERS, of({}))
    assert (row.drop, row.n_stored) == (None, 0)
    assert not list(correlation_rows(proxies(), SUBLAYERS, of({})))


def test_a_document_without_a_second_token_is_left_out_where_the_first_is() -> None:
    found = proxies()
    found.sublayers[:, 1, :, 0] = np.nan
    rows = list(correlation_rows(found, SUBLAYERS, of(scores(ablation(len(PLAYERS))))))
    assert {(row.tokens, row.n) for row in rows} == {("all", DOCUMENTS), ("not the first", DOCUMENTS - 1)}


def test_proxies_are_of_sublayers_and_layers() -> None:
    with pytest.raises(CornerstoneError, match="not of kinds"):
        proxy_rows(proxies(), Grouping("kinds", BY_LAYER.units), of({}))


def test_of_layers_that_cost_nothing_none_counts_as_found() -> None:
    only = {removed: np.full(DOCUMENTS, float(7 not in removed)) for removed in windows(len(PLAYERS), 1)}
    rows = [row for row in correlation_rows(proxies(), SUBLAYERS, of(only)) if row.proxy == "block influence"]
    top = {int(at) for at in np.argsort(-WORTH)[:3]}
    assert {row.top3_found for row in rows} == {int(7 in top)}
