"""`cornerstone run` with groups of players and the schedules of the estimators, and `cornerstone results` of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from core.coalitions.schedules import ablation
from core.shapiq_approximators import lacking
from core.values.derived import derived_values
from store.results import Results
from tests.support.programs import cornerstone, read
from tests.support.store_records import PLAYERS, assignment, documents, keep_all


@pytest.fixture(scope="module")
def common(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str | Path, ...]:
    store = tmp_path_factory.mktemp("store") / "s.duckdb"
    done = cornerstone(
        "run", "--model", tiny_model_folder, "--task", "agreement", "--limit", "6", "--players", "layers",
        "--schedule", "exact", "--until-top", "2", "--store", store,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "exact over layers on agreement: 6 documents under 16 coalitions, 96 outcomes" in done.stderr
    assert (
        "exact over layers on agreement: top 2 at 95% after 6 documents: 2 places are open between 4: " in done.stderr
    )
    assert re.search(r"\(acc, exact, players layers, clipped at 0, n=6\)\n", done.stdout)
    command = re.search(r"`cornerstone (results shapley --estimator exact --players layers --run .*)`", done.stderr)
    assert command is not None
    exported = cornerstone(*command[1].split())
    assert len(exported.stdout.splitlines()) == 5
    return "--model", tiny_model_folder, "--task", "agreement", "--limit", "6", "--store", store


@pytest.fixture
def stored(common: tuple[str | Path, ...]) -> Path:
    return Path(common[-1])


def margins(store: Path) -> dict[tuple[int, ...], float]:
    rows = Results(store).coalitions(value="margin").rows
    return {row.removed: row.acc for row in rows if row.acc is not None}


@pytest.mark.slow
def test_exact_values_are_read_by_every_value(stored: Path) -> None:
    rows = read(stored, "shapley", "--estimator", "exact", "--players", "layers", "--value", "margin")
    v = margins(stored)
    assert [row["label"] for row in rows] == [f"Layer {i}" for i in range(4)]
    assert sum(row["phi"] for row in rows) == pytest.approx(v[()] - v[tuple(range(8))])
    assert {"se", "phi_low", "phi_high", "share_low", "share_high", "p_top3", "rank_low", "partial"} <= set(rows[0])
    assert {(row["value"], row["players"], row["n"]) for row in rows} == {("margin", "layers", 6)}


def test_blocks_evaluate_only_what_layers_have_not(common: tuple[str | Path, ...]) -> None:
    done = cornerstone("run", *common, "--players", "blocks:2", "--schedule", "leave-one-out", "--schedule", "windows")
    assert done.returncode == 0, done.stderr
    for name, count in (("leave-one-out", 3), ("windows of 1 to 4", 4)):
        told = f"{name} over blocks:2 on agreement: 6 documents under {count} coalitions, {6 * count} outcomes"
        assert f"{told}, {6 * count} already stored" in done.stderr
    assert "(acc, leave-one-out, players blocks:2, clipped at 0, n=6)" in done.stdout


@pytest.mark.slow
def test_a_permutation_evaluates_in_rounds_what_its_estimate_reads(
    common: tuple[str | Path, ...], stored: Path
) -> None:
    done = cornerstone(
        "run", *common, "--schedule", "permutation", "--permutations", "8", "--tolerance", "0.01", "--value", "margin"
    )
    assert done.returncode == 0, done.stderr
    assert "permutation of 8 walks on agreement: 6 documents under at most 58 coalitions" in done.stderr
    assert "(margin, nats, permutation, 8 walks, seed 0, tolerance 0.01, clipped at 0, n=6)" in done.stdout
    command = re.search(r"`cornerstone (results shapley --estimator permutation .*--value margin.*)`", done.stderr)
    assert command is not None
    assert len(cornerstone(*command[1].split()).stdout.splitlines()) == 9
    rows = Results(stored).shapley(value="margin", estimator="permutation", permutations=8, tolerance=0.01).rows
    v = margins(stored)
    assert sum(row.phi for row in rows) == pytest.approx(v[()] - v[tuple(range(8))], abs=0.011)


def test_what_is_missing_or_partial_is_told_on_stderr(stored: Path, tmp_path: Path) -> None:
    done = cornerstone("results", "shapley", "--store", stored, "--estimator", "exact")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.search(r"\d+ of 256 coalitions are missing for exact values; `cornerstone run .*exact", done.stderr)
    path = tmp_path / "s.duckdb"
    sets = ablation(PLAYERS)
    keep_all(path, assignment(documents(range(3)), sets), {removed: [1.0, 0.0, 1.0] for removed in sets})
    done = cornerstone("results", "shapley", "--store", path, "--max-removed", "3", "--format", "json")
    assert "note: tiny on capitals: partial, from windows of up to 1, as 9 of 16 coalitions are missing" in done.stderr
    assert {(row["partial"], row["max_removed"]) for row in json.loads(done.stdout)} == {(True, 1)}


def test_a_value_that_is_not_there_is_a_sentence_with_those_that_are(stored: Path) -> None:
    done = cornerstone("results", "ablation", "--store", stored, "--value", "f1")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"cornerstone: no value 'f1'; there are acc, acc_norm, {', '.join(derived_values())}\n"


@pytest.mark.slow
def test_a_task_stops_once_its_top_is_decided_and_is_not_evaluated_further(
    tiny_model_folder: Path, tmp_path: Path
) -> None:
    store = tmp_path / "s.duckdb"
    asked = (
        "run", "--model", tiny_model_folder, "--task", "agreement", "--players", "kinds", "--schedule", "leave-one-out",
        "--value", "gold_logprob", "--until-top", "1", "--memory", "0.00002", "--store", store,
    )  # fmt: skip
    done = cornerstone(*asked)
    assert done.returncode == 0, done.stderr
    told = re.search(r"top 1 decided at 95%: All FFN, after (\d+) of 120 documents", done.stderr)
    assert told is not None
    n = int(told[1])
    assert 32 <= n < 120
    assert f"(gold_logprob, nats, leave-one-out, players kinds, clipped at 0, n={n})" in done.stdout
    assert [run.outcomes for run in Results(store).runs().rows] == [3 * n]
    again = cornerstone(*asked)
    assert told[0] in again.stderr
    assert [run.outcomes for run in Results(store).runs().rows] == [0, 3 * n]


def test_estimators_are_compared_where_exact_values_are_stored(stored: Path, tmp_path: Path) -> None:
    done = cornerstone("estimators", "--store", stored, "--value", "margin", "--format", "json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert {(row["players"], row["units"], row["n"], row["k"]) for row in rows} == {("layers", 4, 6, 3)}
    read_of = [(r["estimator"], r["max_removed"], r["coalitions"]) for r in rows if r["estimator"] != "permutation"]
    assert read_of == [
        ("window-first", 2, 8), ("window-first", 3, 10), ("window-first", 4, 11),
        ("window-ends", 2, 8), ("window-ends", 3, 10), ("window-ends", 4, 11),
        ("window-extrapolation", 2, 8), ("window-extrapolation", 3, 10), ("window-extrapolation", 4, 11),
        ("leave-one-out", 1, 5),
    ]  # fmt: skip
    exact, alone = (
        Results(stored).shapley(value="margin", players="layers", estimator=name).rows
        for name in ("exact", "leave-one-out")
    )
    differences = [one.phi - other.phi for one, other in zip(alone, exact, strict=True)]
    (left,) = (row for row in rows if row["estimator"] == "leave-one-out")
    assert left["bias"] == pytest.approx(sum(differences) / 4)
    assert left["rmse"] == pytest.approx((sum(one**2 for one in differences) / 4) ** 0.5)
    assert left["mae"] == pytest.approx(sum(map(abs, differences)) / 4)
    assert left["worst"] == pytest.approx(max(map(abs, differences)))
    for name in ("rmse", "mae", "worst"):
        assert all(row[f"{name}_low"] <= row[name] <= row[f"{name}_high"] for row in rows)
    assert "not compared" not in done.stderr
    beside = cornerstone("estimators", "--store", stored, "--value", "margin", "--format", "json", "--shapiq")
    assert json.loads(beside.stdout)[: len(rows)] == rows
    added = [row["estimator"] for row in json.loads(beside.stdout)[len(rows) :]]
    if absent := lacking():
        assert (added, absent in beside.stderr) == ([], True)
    else:
        assert {"shapiq RegressionMSR", "shapiq ProxySHAP"} <= set(added)
    assert cornerstone("estimators", "--store", stored, "-o", tmp_path / "table.csv").returncode == 0
    done = cornerstone("estimators", "--store", stored, "--players", "sublayers")
    assert (done.returncode, done.stdout) == (2, "")
    assert re.search(r"of 256 coalitions are missing for exact values; `cornerstone run", done.stderr)
