"""Compare proxies with the values that they stand for: matrices of both by document, and rank correlations."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from core.coalitions.grouping import Grouping
from core.coalitions.players import Removed
from core.coalitions.schedules import INTACT
from core.errors import CornerstoneError
from core.estimators.estimator import Outcomes
from core.estimators.registry import estimator_named
from core.proxies.measure import MEASURES, Proxies
from core.proxies.rows import CorrelationRow, ProxyRow, Target, TokensOf
from core.statistics.defined import defined
from core.statistics.intervals import FloatArray
from core.statistics.rank_correlation import DECIMALS, correlated, kendall, reliability, spearman
from core.statistics.ranks import leading

_TOP: Final = 3
TOKENS: Final[tuple[TokensOf, TokensOf]] = ("all", "not the first")
Players = Literal["sublayers", "layers"]
_NEEDS: Final[Mapping[Players, tuple[tuple[Target, str], ...]]] = {
    "sublayers": (("drop", "leave-one-out"), ("window-first", "window-first"), ("window-ends", "window-ends")),
    # Windows of sublayers hold each layer alone, but not several whole layers.
    "layers": (("drop", "leave-one-out"),),
}


@dataclass(frozen=True, slots=True)
class Compared:
    """The stored values of one model on one task, which proxies are compared with.

    ``scores`` maps removed sets to arrays of shape (documents,), NaN where a document was not evaluated. Numbers
    that are not finite are left out of every comparison.
    """

    model: str
    task: str
    model_id: str
    task_id: str
    value: str
    scores: Mapping[Removed, FloatArray]


def proxy_rows(proxies: Proxies, grouping: Grouping, of: Compared) -> list[ProxyRow]:
    """Return one row for each unit of a grouping: sublayers or layers."""
    players = _players(grouping)
    measured = _measured(proxies, players)
    targets = targets_of(of.scores, grouping)
    rows = []
    for at, unit in enumerate(grouping.units):
        assert unit.layer is not None, "a unit is a sublayer or a layer"
        means = {name: float(matrix[at].mean()) for name, (matrix, _) in targets.items()}
        (influence, influence_later), (norm, norm_later) = (_both(measured[index][:, at]) for index in range(2))
        rows.append(
            ProxyRow(
                model=of.model,
                task=of.task,
                players=players,
                player=at,
                label=unit.label,
                layer=unit.layer,
                kind=unit.kind,
                n=measured.shape[-1],
                block_influence=influence,
                block_influence_later=defined(influence_later),
                relative_norm=norm,
                relative_norm_later=defined(norm_later),
                value=of.value,
                n_stored=max((matrix.shape[1] for matrix, _ in targets.values()), default=0),
                drop=means.get("drop"),
                phi_window_first=means.get("window-first"),
                phi_window_ends=means.get("window-ends"),
                model_id=of.model_id,
                task_id=of.task_id,
            )
        )
    return rows


def correlation_rows(proxies: Proxies, grouping: Grouping, of: Compared) -> Iterator[CorrelationRow]:
    """Yield a row for each proxy, with and without the first token, against each target that is stored."""
    players = _players(grouping)
    measured = _measured(proxies, players)
    for target, (dear, documents) in targets_of(of.scores, grouping).items():
        agrees = reliability(dear)
        for at, proxy in enumerate(MEASURES):
            for tokens, cheap in zip(TOKENS, measured[at][:, :, documents], strict=True):
                known = ~np.isnan(cheap).any(axis=0)
                if not known.any():
                    continue
                one, other = cheap[:, known], dear[:, known]
                rho, tau = correlated(spearman, one, other), correlated(kendall, one, other)
                yield CorrelationRow(
                    model=of.model,
                    task=of.task,
                    players=players,
                    proxy=proxy,
                    tokens=tokens,
                    target=target,
                    value=of.value,
                    n=int(known.sum()),
                    spearman=defined(rho.value),
                    spearman_low=defined(rho.low),
                    spearman_high=defined(rho.high),
                    kendall=defined(tau.value),
                    kendall_low=defined(tau.low),
                    kendall_high=defined(tau.high),
                    top3_found=len(_top(one) & set(leading(np.round(other.mean(axis=1), DECIMALS), _TOP))),
                    reliability=defined(agrees),
                    model_id=of.model_id,
                    task_id=of.task_id,
                )


def targets_of(scores: Mapping[Removed, FloatArray], grouping: Grouping) -> dict[Target, tuple[FloatArray, list[int]]]:
    """Return, for each target that is stored, contributions of shape (units, documents) and these documents' places."""
    units = len(grouping.units)
    found: dict[Target, tuple[FloatArray, list[int]]] = {}
    for target, name in _NEEDS[_players(grouping)]:
        estimator = estimator_named(name)
        wanted = estimator.missing({}, units)
        there = [scores.get(grouping.removed(removed)) for removed in wanted]
        arrays = [array for array in there if array is not None]
        if len(arrays) < len(wanted):
            continue
        matrix = np.stack(arrays)
        complete = np.isfinite(matrix).all(axis=0)
        if complete.any():
            outcomes: Outcomes = dict(zip(wanted, matrix[:, complete], strict=True))
            assert INTACT in outcomes
            found[target] = estimator.contributions(outcomes, units), np.flatnonzero(complete).tolist()
    return found


def _players(grouping: Grouping) -> Players:
    match grouping.name:
        case "sublayers":
            return "sublayers"
        case "layers":
            return "layers"
        case other:
            raise CornerstoneError(f"proxies are of sublayers or layers, not of {other}")


def _measured(proxies: Proxies, players: Players) -> FloatArray:
    """Return the proxies, shape (measures, 2, units, documents)."""
    return proxies.sublayers if players == "sublayers" else proxies.layers


def _both(values: FloatArray) -> tuple[float, float]:
    """Return the mean over documents with the first token, and without it over those that have another."""
    later = values[1][~np.isnan(values[1])]
    return float(values[0].mean()), float(later.mean()) if len(later) else math.nan


def _top(values: FloatArray) -> set[int]:
    """Return the units of the largest means; ties go to the earlier."""
    return set(np.argsort(-values.mean(axis=1), kind="stable")[:_TOP].tolist())
