"""Coverage of 95% intervals in games whose true values are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.estimators.estimate import estimate
from core.estimators.estimator import Estimator
from core.estimators.exact import Exact
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.permutation import Permutation
from core.estimators.windows import WindowEnds, WindowFirst
from core.statistics.phi_intervals import phi_bounds
from core.statistics.shares import shares
from tests.support.games import NoisyGame, everything

DAMAGE = (1.5, 0.6, 0.3, 0.12, 0.0)
"""The larger, the larger the value: units are in the order of their ranks."""
GAMES = {
    "noisy": NoisyGame(DAMAGE, alike=0.6),
    "steady": NoisyGame(DAMAGE, alike=0.95),
    "near the ceiling": NoisyGame(DAMAGE, intact=0.98, alike=0.9),
}
WITHOUT_ORDERS: tuple[Estimator, ...] = (WindowFirst(4), WindowEnds(4), Exact(), LeaveOneOut())
ORDERS = 20


def phi_coverage(
    game: NoisyGame, estimator: Estimator, documents: int, trials: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return how often intervals of phi hold the truth, and on how many documents a unit contributes, shape (units,).

    All trials are computed at once: a unit of one trial is a row of contributions.
    """
    units = len(game.damage)
    coalitions = estimator.missing({}, units)
    played = game.play(coalitions, (trials, documents), np.random.default_rng(seed))
    flat = {removed: values.reshape(-1) for removed, values in played.items()}
    contributions = estimator.contributions(flat, units).reshape(units * trials, documents)
    low, high = (bound.reshape(units, trials) for bound in phi_bounds(contributions, 0.95, 1.0, None))
    truth = estimator.contributions(game.rates(coalitions), units)
    held = (low <= truth + 1e-12) & (truth - 1e-12 <= high)
    return held.mean(axis=1), (contributions != 0).sum(axis=1).reshape(units, trials).mean(axis=1)


@dataclass(frozen=True)
class ShareCoverage:
    """How often intervals of shares hold the truth and lie above it, shape (units,); those of ranks, in the mean."""

    held: np.ndarray
    above: np.ndarray
    ranks: float


def share_coverage(
    game: NoisyGame, estimator: Estimator | None, documents: int, trials: int, seed: int
) -> ShareCoverage:
    """Return the coverage of an estimator's shares.

    None stands for permutation with other orders in each trial, compared with the exact shares.
    """
    rng, units = np.random.default_rng(seed), len(game.damage)
    coalitions, ranks = everything(units), np.arange(1, units + 1)
    truth = shares((estimator or Exact()).contributions(game.rates(coalitions), units)[:, 0])
    held, above, in_ranks = np.zeros(units), np.zeros(units), 0.0
    for trial in range(trials):
        drawn = estimator or Permutation(ORDERS, trial, 0.0)
        found = estimate(drawn, game.play(coalitions, (documents,), rng), units, draws=500)
        held += (found.share_low <= truth) & (truth <= found.share_high)
        above += truth < found.share_low
        in_ranks += float(np.mean((found.rank_low <= ranks) & (found.rank_high >= ranks)))
    return ShareCoverage(held / trials, above / trials, in_ranks / trials)
