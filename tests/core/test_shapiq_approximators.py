"""shapiq's approximators on games that are there as a whole, and the sentence where they are not installed."""

from __future__ import annotations

import sys
from itertools import combinations
from types import ModuleType

import numpy as np
import pytest

from core import shapiq_approximators
from core.errors import CornerstoneError
from core.estimators.exact import Exact
from core.shapiq_approximators import NAMES, approximations, lacking

ABSENT = lacking()
there = pytest.mark.skipif(ABSENT is not None, reason=str(ABSENT))


def game(units: int, seed: int = 0) -> dict[tuple[int, ...], np.ndarray]:
    rng = np.random.default_rng(seed)
    every = (removed for size in range(units + 1) for removed in combinations(range(units), size))
    return {removed: rng.random(4) - len(removed) / units for removed in every}


@there
def test_each_reads_its_budget_and_is_exact_with_every_coalition() -> None:
    outcomes = game(6)
    found = list(approximations(outcomes, 6, (20, 64), seed=3))
    assert [(one.name, one.budget) for one in found] == [(name, budget) for budget in (20, 64) for name in NAMES]
    exact = Exact().contributions(outcomes, 6).mean(axis=1)
    for one in found:
        assert one.phi.shape == (6,)
        assert one.coalitions <= one.budget
        if one.budget == 64:
            assert one.coalitions == 64
            np.testing.assert_allclose(one.phi, exact, atol=1e-4)
        else:
            assert np.abs(one.phi - exact).max() > 0.001


@there
def test_the_seed_draws_the_coalitions() -> None:
    outcomes = game(8)
    one, same, other = (
        np.stack([each.phi for each in approximations(outcomes, 8, (40,), seed)]) for seed in (1, 1, -5)
    )
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 1e-6


@there
def test_one_that_does_not_work_with_so_few_coalitions_is_left_out() -> None:
    found = [one.name for one in approximations(game(6), 6, (8,), seed=0)]
    assert "OddSHAP" not in found
    assert found


@there
@pytest.mark.parametrize("units", [2, 3])
def test_small_games_work(units: int) -> None:
    outcomes = game(units)
    exact = Exact().contributions(outcomes, units).mean(axis=1)
    for one in approximations(outcomes, units, (2**units,), seed=0):
        np.testing.assert_allclose(one.phi, exact, atol=1e-4)


@there
def test_a_game_with_gaps_is_refused() -> None:
    outcomes = {removed: values for removed, values in game(5).items() if len(removed) != 2}
    with pytest.raises(CornerstoneError, match="the game lacks"):
        list(approximations(outcomes, 5, (32,), seed=0))


@pytest.mark.parametrize(
    ("absent", "told"),
    [
        (("shapiq",), "shapiq is not installed"),
        (("xgboost", "lightgbm"), "xgboost and lightgbm are not installed"),
        (("lightgbm",), "lightgbm is not installed"),
    ],
)
def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch, absent: tuple[str, ...], told: str) -> None:
    monkeypatch.setattr(shapiq_approximators, "find_spec", lambda name: None if name in absent else object())
    found = lacking()
    assert found is not None
    assert told in found
    assert found.endswith("They come with the extra cornerstone[approximators], from Python 3.12 on")


def test_an_older_shapiq_is_said_to_be_older(monkeypatch: pytest.MonkeyPatch) -> None:
    old = ModuleType("shapiq")
    old.__dict__.update({"__version__": "1.5.0", "RegressionMSR": object, "ProxySHAP": object})
    monkeypatch.setitem(sys.modules, "shapiq", old)
    monkeypatch.setattr(shapiq_approximators, "find_spec", lambda _name: object())
    assert "not compared: shapiq 1.5.0 has no OddSHAP." in str(lacking())
    old.__dict__["OddSHAP"] = object
    assert lacking() is None
