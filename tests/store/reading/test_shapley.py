"""Shapley values of groups of players from a real store: by hand, from what is there, and what is said otherwise."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from core.coalitions.grouping import Grouping, grouping
from core.coalitions.players import Removed, players_of
from core.coalitions.schedules import ablation, windows
from core.config.gap import Gap
from core.errors import CornerstoneError
from core.records.records import Assignment
from store.results import Results
from store.rows import ShapleyRow
from tests.support.store_records import (
    KINDS,
    PLAYERS,
    assignment,
    documents,
    drawn_scores,
    keep,
    keep_all,
    outcome,
    to_run,
)

LAYERS = grouping("layers", players_of(KINDS))
UNITS = len(LAYERS.units)
EVERY = [removed for size in range(UNITS + 1) for removed in itertools.combinations(range(UNITS), size)]

scores = partial(drawn_scores, intact=0.9, lost=0.1)


def of_players(units: list[Removed], groups: Grouping = LAYERS) -> list[Removed]:
    return [groups.removed(removed) for removed in units]


def stored(path: Path, coalitions: list[Removed], n: int = 6) -> dict[Removed, list[float]]:
    acc = scores(coalitions, n)
    keep_all(path, assignment(documents(range(n)), coalitions), acc)
    return acc


def by_orders(v: dict[Removed, float], unit: int) -> float:
    """Shapley's value as the mean over all orders of what removing the unit takes away."""
    lost = []
    for order in itertools.permutations(range(UNITS)):
        before = tuple(sorted(order[: order.index(unit)]))
        after = tuple(sorted((*before, unit)))
        lost.append(v[LAYERS.removed(before)] - v[LAYERS.removed(after)])
    return sum(lost) / len(lost)


def test_exact_values_of_layers_are_those_of_all_orders_and_add_up(path: Path) -> None:
    acc = stored(path, of_players(EVERY))
    v = {removed: float(np.mean(values)) for removed, values in acc.items()}
    rows = Results(path).shapley(estimator="exact", players="layers").rows
    assert [(row.player, row.label, row.players) for row in rows] == [(i, f"Layer {i}", "layers") for i in range(UNITS)]
    for row in rows:
        assert row.phi == pytest.approx(by_orders(v, row.player))
        assert row.phi_low <= row.phi <= row.phi_high
        assert (row.n, row.value, row.partial, row.max_removed) == (6, "acc", False, UNITS)
    assert sum(row.phi for row in rows) == pytest.approx(v[()] - v[tuple(range(PLAYERS))])


def test_every_estimator_of_a_grouping_reads_what_the_exact_schedule_stored(path: Path) -> None:
    acc = stored(path, of_players(EVERY))
    v = {removed: float(np.mean(values)) for removed, values in acc.items()}
    rows = Results(path).shapley(estimator="leave-one-out", players="layers").rows
    assert [row.phi for row in rows] == pytest.approx([v[()] - v[LAYERS.removed((unit,))] for unit in range(UNITS)])
    first = Results(path).shapley(estimator="window-first", players="layers").rows
    assert {(row.permutations, row.seed, row.tolerance) for row in (*rows, *first)} == {(None, None, None)}
    terms = [v[()] - v[LAYERS.removed((0,))]]
    terms += [v[LAYERS.removed((1,))] - v[LAYERS.removed((0, 1))]]
    terms += [v[LAYERS.removed((1, 2))] - v[LAYERS.removed((0, 1, 2))]]
    assert first[0].phi == pytest.approx(np.mean(terms))
    walked = Results(path).shapley(estimator="permutation", players="layers", permutations=40, tolerance=0).rows
    assert sum(row.phi for row in walked) == pytest.approx(v[()] - v[tuple(range(PLAYERS))])


def test_what_is_extrapolated_is_said_to_be(path: Path) -> None:
    stored(path, windows(PLAYERS, 3))
    asked, plain = (
        Results(path).shapley(estimator=name, max_removed=3) for name in ("window-extrapolation", "window-first")
    )
    (note,) = [note for note in asked.notes if "extrapolates" in note]
    assert "window-extrapolation extrapolates to coalitions that were never removed; its intervals" in note
    assert {row.settings for row in asked.rows} == {"windows of up to 3, extrapolated to coalitions never removed"}
    assert {row.verdict for row in asked.rows} == {None}
    assert not any("extrapolates" in note for note in plain.notes)


def test_single_players_are_not_disturbed_by_groups_nor_groups_by_single_players(path: Path) -> None:
    alone, both = path.with_name("alone"), path.with_name("both")
    stored(alone, windows(PLAYERS, 2))
    acc = scores(windows(PLAYERS, 2), 6)
    extra = {**scores(of_players(EVERY), 6, seed=1), **acc}
    keep_all(both, assignment(documents(range(6)), list(extra)), extra)
    assert Results(alone).shapley(max_removed=2).rows == Results(both).shapley(max_removed=2).rows
    assert len(Results(both).shapley(estimator="exact", players="layers").rows) == UNITS


def test_a_permutation_reads_the_documents_that_its_walks_have(path: Path) -> None:
    # Windows of every document, and everything else of the first five alone: the walks read five.
    coalitions = of_players(EVERY)
    asked = assignment(documents(range(8)), [*dict.fromkeys([*windows(PLAYERS, 4), *coalitions])])
    kept = [
        outcome(f"doc-{i}", removed, float((i + len(removed)) % 3 > 0))
        for removed in asked.coalitions
        for i in range(8 if removed in windows(PLAYERS, 4) else 5)
    ]
    keep(path, asked, kept)
    rows = Results(path).shapley(estimator="permutation", players="layers", permutations=8, tolerance=0).rows
    assert {row.n for row in rows} == {5}
    assert {(row.permutations, row.seed, row.tolerance) for row in rows} == {(8, 0, 0)}
    assert {row.n for row in Results(path).shapley(estimator="window-first", players="layers", max_removed=1).rows} == {
        8
    }


def test_shorter_windows_make_a_partial_estimate_that_says_so(path: Path) -> None:
    groups = of_players(windows(UNITS, 2))
    stored(path, groups)
    answer = Results(path).shapley(players="layers", max_removed=3)
    assert answer.gaps == ()
    what = (
        "tiny on capitals: partial, from windows of up to 2, as 1 of 7 coalitions are missing for windows of up to 3 "
        "of layers"
    )
    assert answer.partial == (Gap(what, to_run(schedule="windows", players="layers", max_removed=3)),)
    whole = Results(path).shapley(players="layers", max_removed=2)
    assert (answer.notes, whole.partial, whole.notes) == ((), (), ())
    assert {(row.partial, row.max_removed) for row in whole.rows} == {(False, 2)}
    assert {(row.partial, row.max_removed) for row in answer.rows} == {(True, 2)}
    assert [row.phi for row in answer.rows] == [row.phi for row in whole.rows]


@pytest.mark.parametrize(
    ("estimator", "what", "fill"),
    [
        ("exact", "4 of 8 coalitions are missing for exact values of layers",
         {"schedule": "exact", "players": "layers"}),
        ("permutation",
         "at least 4 coalitions are missing for 8 walks of permutation (seed 5, tolerance 0.5) of layers",
         {"schedule": "permutation", "players": "layers", "seed": 5, "permutations": 8, "tolerance": 0.5}),
    ],
)  # fmt: skip
def test_what_is_missing_is_a_sentence_with_the_run_that_fills_it(
    path: Path, estimator: str, what: str, fill: dict[str, object]
) -> None:
    stored(path, of_players(windows(UNITS, 1)))
    answer = Results(path).shapley(estimator=estimator, players="layers", permutations=8, seed=5, tolerance=0.5)
    assert answer.rows == ()
    assert answer.gaps == (Gap(f"tiny on capitals: {what}", to_run(**fill)),)


def test_walks_end_by_the_value_that_is_missing_them(path: Path) -> None:
    stored(path, of_players(windows(UNITS, 1)))
    for value, asked in {"acc": None, "margin": "margin"}.items():
        (gap,) = Results(path).shapley(value=value, estimator="permutation", players="layers").gaps
        assert gap.fill == to_run(schedule="permutation", players="layers", value=asked)


def test_without_the_intact_model_there_is_nothing_to_measure_against(path: Path) -> None:
    stored(path, ablation(PLAYERS)[1:])
    answer = Results(path).shapley(max_removed=1)
    assert answer.rows == ()
    what = "tiny on capitals: the intact model, which every removal is measured against, is not stored"
    assert answer.gaps == (Gap(what, to_run(schedule="windows", max_removed=1)),)


def test_coalitions_without_a_document_in_common_are_a_sentence(path: Path) -> None:
    asked = assignment(documents(range(2)), ablation(PLAYERS))
    keep(path, asked, [outcome(f"doc-{len(removed)}", removed) for removed in asked.coalitions])
    (gap,) = Results(path).shapley(max_removed=1, estimator="window-first").gaps
    what = "tiny on capitals: no document has all 7 coalitions of windows of up to 1"
    assert gap == Gap(what, to_run(schedule="windows", max_removed=1))


def test_one_document_gives_rows_without_standard_errors_and_says_so(path: Path) -> None:
    stored(path, of_players(EVERY), n=1)
    answer = Results(path).shapley(estimator="exact", players="layers")
    assert answer.notes == ("tiny on capitals: 1 document alone tells no standard error, and its intervals say little",)
    assert {row.se for row in answer.rows} == {None}
    assert_numbers(answer.rows)


def test_documents_that_all_agree_are_told_and_no_number_is_missing_in_silence(path: Path) -> None:
    coalitions = of_players(EVERY)
    keep_all(path, assignment(documents(range(5)), coalitions), {removed: [1.0] * 5 for removed in coalitions})
    answer = Results(path).shapley(estimator="exact", players="layers")
    assert answer.notes == (
        "tiny on capitals: no removal changes the acc of any of the 5 documents, so no unit can be told from another",
    )
    assert {(row.phi, row.share, row.share_low) for row in answer.rows} == {(0, None, None)}
    assert_numbers(answer.rows)


def assert_numbers(rows: tuple[ShapleyRow, ...]) -> None:
    assert rows
    for row in rows:
        for value in (row.phi, row.phi_low, row.phi_high, row.se, row.share, row.share_low, row.share_high, row.p_top3):
            assert value is None or math.isfinite(value)


def test_exact_of_too_many_units_is_said_of_the_model_that_has_them(path: Path) -> None:
    wide = assignment(documents([0]), [()])
    big: Assignment = replace(wide, model=replace(wide.model, kinds=(("attn", "ffn"),) * 9))
    keep_all(path, big, {(): [1.0]})
    answer = Results(path).shapley(estimator="exact")
    assert answer.rows == ()
    assert answer.gaps[0].what.startswith("tiny on capitals: exact needs all 2^18 = 262 144 coalitions of 18 units")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"players": "blocks:0"}, "no grouping of players 'blocks:0'; use one of sublayers, layers, blocks:K"),
        ({"estimator": "exakt"}, "no estimator 'exakt'; there is window-first, .*did you mean exact"),
        ({"estimator": "permutation", "permutations": 3}, "permutations must be an even number of 8 or more, not 3"),
        ({"estimator": "permutation", "tolerance": -0.5}, "tolerance must be a number of 0 or more, not -0.5"),
        ({"max_removed": 0}, "max_removed must be a whole number from 1 to 8, not 0"),
    ],
)
def test_what_makes_no_estimate_is_refused_before_the_store_is_opened(path: Path, options: dict, sentence: str) -> None:
    with pytest.raises(CornerstoneError, match=sentence):
        Results(path).shapley(**options)
