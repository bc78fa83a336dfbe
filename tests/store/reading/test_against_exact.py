"""Estimators against exact values from a real store: which groupings are compared, and what is said of the others."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from core.coalitions.grouping import grouping
from core.coalitions.players import Removed, players_of
from core.coalitions.schedules import ablation
from core.config.gap import Gap
from core.errors import CornerstoneError
from core.shapiq_approximators import NAMES, lacking
from store.results import Results
from tests.support.store_records import KINDS, assignment, documents, drawn_scores, keep, keep_all, outcome, to_run

PLAYERS = players_of(KINDS)


def every(name: str) -> list[Removed]:
    units = grouping(name, PLAYERS)
    count = range(len(units.units))
    return [units.removed(removed) for size in range(len(count) + 1) for removed in itertools.combinations(count, size)]


def stored(path: Path, coalitions: list[Removed], n: int = 8) -> None:
    keep_all(path, assignment(documents(range(n)), coalitions), drawn_scores(coalitions, n, intact=0.95, lost=0.14))


def test_every_grouping_whose_top_says_something_is_compared_with_itself(path: Path) -> None:
    stored(path, every("sublayers"))
    rows = Results(path).agreement().rows
    assert {(row.players, row.units) for row in rows} == {("sublayers", 6)}
    smaller = Results(path).agreement(top=1).rows
    assert list(dict.fromkeys(row.players for row in smaller)) == ["sublayers", "layers", "blocks:2", "kinds"]
    for row in (*rows, *smaller):
        assert row.n == 8
        assert row.coalitions <= 2**row.units
        for name in ("spearman", "kendall", "bias", "rmse", "mae", "worst", "top"):
            value, low, high = (getattr(row, name + end) for end in ("", "_low", "_high"))
            assert (value is None) or low <= value <= high


def test_what_reads_everything_is_exact(path: Path) -> None:
    stored(path, every("kinds"))
    rows = Results(path).agreement(tolerance=0, permutations=8, seed=3).rows
    (walked,) = [row for row in rows if row.estimator == "permutation"]
    assert (walked.permutations, walked.seed, walked.tolerance) == (8, 3, 0)
    assert {row.permutations for row in rows if row is not walked} == {None}
    # Two units have two orders, and walks come with their reverse.
    assert (walked.units, walked.coalitions, walked.k) == (2, 4, 2)
    assert walked.rmse == pytest.approx(0, abs=1e-12)


def test_what_extrapolates_is_compared_and_says_so(path: Path) -> None:
    stored(path, every("sublayers"))
    rows = [row for row in Results(path).agreement().rows if row.estimator == "window-extrapolation"]
    assert [(row.max_removed, row.coalitions) for row in rows] == [(2, 12), (3, 16), (4, 19)]
    assert {row.settings.partition(", ")[2] for row in rows} == {"extrapolated to coalitions never removed"}
    for row in rows:
        assert 0 < abs(row.bias) <= row.mae <= row.rmse <= row.worst


def test_shapiqs_approximators_stand_beside_ours_where_they_are_installed(path: Path) -> None:
    stored(path, every("sublayers"))
    plain, answer = Results(path).agreement(), Results(path).agreement(shapiq=True, seed=3)
    assert plain.notes == ()
    if absent := lacking():
        assert answer.notes == (absent,)
        pytest.skip(absent)
    rows = [row for row in answer.rows if row.estimator.startswith("shapiq ")]
    ours = [row for row in answer.rows if row not in rows]
    assert {row.estimator for row in rows} == {f"shapiq {name}" for name in NAMES}
    budgets = {max(row.coalitions for row in ours if row.estimator == name) for name in ("window-first", "permutation")}
    assert {row.settings for row in rows} == {f"budget {budget}, seed 3" for budget in budgets}
    for row in rows:
        assert row.coalitions <= max(budgets)
        assert (row.seed, row.max_removed, row.permutations) == (3, 6, None)
        assert row.rmse is not None
        assert (row.rmse_low, row.spearman_high, row.top_low) == (None, None, None)


def test_where_exact_values_are_not_stored_the_run_that_makes_them_is_said(path: Path) -> None:
    stored(path, ablation(len(PLAYERS)))
    answer = Results(path).agreement()
    assert answer.rows == ()
    what = "tiny on capitals: exact values to compare estimators with are not stored"
    assert answer.gaps == (Gap(what, to_run(schedule="exact", players="layers")),)
    (gap,) = Results(path).agreement(players="kinds").gaps
    what = "tiny on capitals: 3 of 4 coalitions are missing for exact values of kinds"
    assert gap == Gap(what, to_run(schedule="exact", players="kinds"))
    with pytest.raises(CornerstoneError, match="no grouping of players 'block'"):
        Results(path).agreement(players="block")


def test_one_document_or_none_in_common_is_a_sentence(path: Path) -> None:
    stored(path, every("kinds"), n=1)
    assert Results(path).agreement().gaps == (Gap("tiny on capitals: 1 document is too few to compare estimators on"),)
    apart = path.with_name("apart")
    asked = assignment(documents(range(4)), every("kinds"))
    keep(apart, asked, [outcome(f"doc-{i}", removed) for i, removed in enumerate(asked.coalitions)])
    (gap,) = Results(apart).agreement(players="kinds").gaps
    what = "tiny on capitals: no document has all 4 coalitions of exact values of kinds"
    assert gap == Gap(what, to_run(schedule="exact", players="kinds"))
