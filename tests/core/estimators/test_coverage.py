"""How often 95% intervals hold the truth, in games of which it is known, with 64 documents and more."""

from __future__ import annotations

import numpy as np
import pytest

from core.estimators.estimator import Estimator
from core.estimators.exact import Exact
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.spread import phi_bounds
from core.estimators.windows import WindowEnds, WindowFirst
from tests.core.estimators.games import NoisyGame

DAMAGE = (1.5, 0.6, 0.3, 0.12, 0.0)
GAMES = {
    "noisy": NoisyGame(DAMAGE, alike=0.6),
    "steady": NoisyGame(DAMAGE, alike=0.95),
    "near the ceiling": NoisyGame(DAMAGE, intact=0.98, alike=0.9),
}
ESTIMATORS: tuple[Estimator, ...] = (WindowFirst(4), WindowEnds(4), Exact(), LeaveOneOut())
ENOUGH = 12
"""Documents on which a unit must be expected to contribute for a promise of 93 to 97%."""


def coverage(game: NoisyGame, estimator: Estimator, documents: int, trials: int, seed: int) -> tuple[np.ndarray, ...]:
    """How often intervals of phi hold the truth, and on how many documents a unit contributes; shape (units,) each.

    All trials at once: a unit of one trial is a row of contributions.
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


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda estimator: estimator.name)
@pytest.mark.parametrize("game", GAMES)
def test_intervals_of_phi_hold_the_truth_as_often_as_they_say(game: str, estimator: Estimator) -> None:
    trials = 1500
    held, there = coverage(GAMES[game], estimator, 64, trials, seed=3)
    noise = 3 * np.sqrt(0.95 * 0.05 / trials)
    promised = held[there >= ENOUGH]
    assert len(promised)
    assert (promised > 0.93 - noise).all()
    assert (promised < 0.97 + noise).all()
    assert (held > 0.88).all()  # with fewer it may fall short, not far


@pytest.mark.slow
def test_the_table_of_coverage(capsys: pytest.CaptureFixture[str]) -> None:
    """Of phi by estimator, game and documents; within 93 to 97% wherever enough documents contribute."""
    lines, trials = [], 4000
    for documents in (64, 128, 256):
        for name, game in GAMES.items():
            for estimator in ESTIMATORS:
                held, there = coverage(game, estimator, documents, trials, seed=documents)
                cells = " ".join(f"{h:.3f} ({t:3.0f})" for h, t in zip(held, there, strict=True))
                lines.append(f"{documents:4} {name:17} {estimator.name:14} {cells}")
                assert (held[there >= ENOUGH] >= 0.93 - 0.008).all(), lines[-1]
                assert (held[there >= ENOUGH] <= 0.97 + 0.008).all(), lines[-1]
    with capsys.disabled():
        print("\ncoverage of 95% intervals of phi, by unit (documents on which it contributes)", *lines, sep="\n")
