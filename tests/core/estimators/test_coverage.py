"""How often 95% intervals hold the truth, in games of which it is known, with 64 documents and more."""

from __future__ import annotations

import numpy as np
import pytest

from core.estimators.estimate import estimate
from core.estimators.estimator import Estimator
from core.estimators.exact import Exact
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.permutation import Permutation
from core.estimators.shares import shares
from core.estimators.spread import phi_bounds
from core.estimators.windows import WindowEnds, WindowFirst
from core.intervals import paired_drop
from tests.core.estimators.games import NoisyGame, everything

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


@pytest.mark.slow
def test_the_table_of_coverage_of_shares_and_drops(capsys: pytest.CaptureFixture[str]) -> None:
    """Shares are clipped and of a sum that is clipped, which biases small ones upwards: their coverage is reported."""
    lines, trials, rng = [], 400, np.random.default_rng(1)
    for documents in (64, 256):
        for name, game in GAMES.items():
            for estimator in (*ESTIMATORS, Permutation(20)):
                units = len(game.damage)
                coalitions = everything(units)
                truth = shares(Exact().contributions(game.rates(coalitions), units)[:, 0])
                if not isinstance(estimator, Permutation):
                    truth = shares(estimator.contributions(game.rates(coalitions), units)[:, 0])
                held, above, in_ranks = np.zeros(units), np.zeros(units), 0.0
                for seed in range(trials):
                    drawn = Permutation(20, seed, 0.0) if isinstance(estimator, Permutation) else estimator
                    found = estimate(drawn, game.play(coalitions, (documents,), rng), units, draws=500)
                    held += (found.share_low <= truth) & (truth <= found.share_high)
                    above += truth < found.share_low
                    in_ranks += float(np.mean((found.rank_low <= RANKS) & (found.rank_high >= RANKS)))
                cells = " ".join(f"{h:.3f} ({a:.3f})" for h, a in zip(held / trials, above / trials, strict=True))
                lines.append(f"{documents:4} {name:17} {estimator.name:14} {cells}  ranks {in_ranks / trials:.3f}")
                assert (held / trials > 0.8).all(), lines[-1]
    with capsys.disabled():
        print("\ncoverage of 95% intervals of shares, by unit (truth below the interval)", *lines, sep="\n")


RANKS = np.arange(1, len(DAMAGE) + 1)
"""The larger the damage, the larger the value."""


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
