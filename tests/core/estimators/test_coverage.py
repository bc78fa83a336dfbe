"""95% intervals hold the truth as often as they say, with 64 documents and more.

`python -m tests.benchmarks.coverage` draws more games and prints every figure.
"""

from __future__ import annotations

import numpy as np
import pytest

from core.estimators.estimator import Estimator
from core.statistics.intervals import paired_drop
from tests.support.coverage import DAMAGE, GAMES, WITHOUT_ORDERS, phi_coverage, share_coverage
from tests.support.games import NoisyGame

ENOUGH = 12
"""Documents on which a unit must be expected to contribute for a promise of 93 to 97%."""


@pytest.mark.parametrize("documents", [64, pytest.param(128, marks=pytest.mark.slow)])
@pytest.mark.parametrize("estimator", WITHOUT_ORDERS, ids=lambda estimator: estimator.name)
@pytest.mark.parametrize("game", GAMES)
def test_intervals_of_phi_hold_the_truth_as_often_as_they_say(game: str, estimator: Estimator, documents: int) -> None:
    trials = 1500
    held, there = phi_coverage(GAMES[game], estimator, documents, trials, seed=3)
    noise = 3 * np.sqrt(0.95 * 0.05 / trials)
    promised = held[there >= ENOUGH]
    assert len(promised)
    assert (promised > 0.93 - noise).all()
    assert (promised < 0.97 + noise).all()
    assert (held > 0.88).all()  # with fewer it may fall short, not far


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [*WITHOUT_ORDERS, None], ids=lambda one: one.name if one else "permutation")
@pytest.mark.parametrize("game", GAMES)
def test_intervals_of_shares_do_not_fall_far_short(game: str, estimator: Estimator | None) -> None:
    """They are clipped and of a sum that is clipped, which biases small ones upwards: no promise, but a floor."""
    found = share_coverage(GAMES[game], estimator, 64, 60, seed=1)
    assert (found.held > 0.8).all()
    assert found.ranks > 0.95


@pytest.mark.parametrize("documents", [64, 128])
@pytest.mark.parametrize("alike", [0.5, 0.95])
def test_intervals_of_drops_hold_the_truth_as_often_as_they_say(documents: int, alike: float) -> None:
    game, trials, rng = NoisyGame(DAMAGE, alike=alike), 1500, np.random.default_rng(2)
    played = game.play([(), *((unit,) for unit in range(4))], (trials, documents), rng)
    noise = 3 * np.sqrt(0.95 * 0.05 / trials)
    for unit in range(3):
        truth = game.rate(()) - game.rate((unit,))
        drops = [paired_drop(*pair) for pair in zip(played[()], played[(unit,)], strict=True)]
        held = np.mean([drop.low <= truth <= drop.high for drop in drops])
        assert 0.93 - noise < held < 0.97 + noise
