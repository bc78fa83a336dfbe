"""A package that adds to Cornerstone: its code comes from CONTRIBUTING.md, and real programs load it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.example_plugin import install
from tests.support.programs import PROGRAM

PATIENCE_S = 240.0


@pytest.fixture
def plugged(tmp_path: Path) -> Mapping[str, str]:
    """An environment in which the package is installed."""
    site = tmp_path / "site"
    site.mkdir()
    return install(site)


def python(environment: Mapping[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a Python of its own, as the fork server's has looked for plugins already."""
    command = [str(part) for part in arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def cornerstone(environment: Mapping[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    done = python(environment, *PROGRAM, *arguments)
    assert done.returncode == 0, done.stderr
    return done


def words(text: str) -> str:
    """Text without line breaks and frames."""
    return " ".join(text.replace("│", " ").split())


@pytest.mark.slow
@pytest.mark.parametrize("command", ["run", "results shapley", "paper"])
def test_help_has_the_setting_as_an_option(plugged: Mapping[str, str], command: str) -> None:
    said = words(cornerstone({**plugged, "COLUMNS": "160"}, *command.split(), "--help").stdout)
    assert "--reach" in said
    assert "How far apart the units of a pair may be, 1 to 8 (default 1)." in said
    added = {"run": "permutation, pairs, or", "results shapley": "tsv (tab-separated)", "paper": "gold_share"}
    assert added[command] in said


def test_turned_off_it_adds_nothing(plugged: Mapping[str, str]) -> None:
    done = python({**plugged, "CORNERSTONE_PLUGINS": "off"}, *PROGRAM, "run", "--task", "agreement", "--reach", "2")
    assert done.returncode == 2
    assert "no such option: --reach" in done.stderr


def test_a_setting_named_as_an_option_is_refused_in_a_sentence(plugged: Mapping[str, str], tmp_path: Path) -> None:
    module = tmp_path / "site" / "cornerstone_pairs.py"
    module.write_text(module.read_text().replace("reach: Annotated", "store: Annotated").replace(".reach", ".store"))
    done = python(plugged, *PROGRAM, "models")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "'store'" in done.stderr
    assert "has to rename" in done.stderr


@pytest.mark.slow
def test_a_real_run_and_all_that_reads_it(plugged: Mapping[str, str], tiny_model_folder: Path, tmp_path: Path) -> None:
    store, written = ("--store", tmp_path / "s.duckdb"), tmp_path / "kinds.tsv"
    asked = ("--model", tiny_model_folder, "--task", "agreement", "--limit", "6", "--value", "gold_share")
    done = cornerstone(plugged, "run", *asked, "--schedule", "pairs", "--reach", "2", *store)
    assert "pairs (reach 2) on agreement: 6 documents under 22 coalitions, 132 outcomes" in done.stderr
    assert "cornerstone results shapley --estimator pairs --reach 2 --value gold_share" in done.stderr
    assert "(gold_share, probability, pairs, reach 2, clipped at 0, n=6)" in done.stdout

    def rows(table: str, *options: str) -> list[dict[str, object]]:
        return json.loads(cornerstone(plugged, "results", table, *store, "--format", "json", *options).stdout)

    v = {tuple(row["removed"]): row["acc"] for row in rows("coalitions", "--value", "gold_share")}
    found = rows("shapley", "--estimator", "pairs", "--reach", "2", "--value", "gold_share")
    assert [row["label"] for row in found] == [f"{kind} {layer}" for layer in range(4) for kind in ("Attn", "FFN")]
    assert {(row["estimator"], row["settings"], row["n"]) for row in found} == {("pairs", "reach 2", 6)}
    # The first player by hand: alone, and beside its two neighbours within reach.
    alone, near = v[()] - v[0,], [v[other,] - v[0, other] for other in (1, 2)]
    assert found[0]["phi"] == pytest.approx((alone + sum(near)) / 3)
    assert all(0 <= value <= 1 for value in v.values())

    drops = {row["label"]: row["drop"] for row in rows("ablation", "--value", "gold_share")}
    cornerstone(plugged, "results", "kinds", *store, "--value", "gold_share", "-o", written)
    head, *lines = [line.split("\t") for line in written.read_text().splitlines()]
    kinds = [dict(zip(head, line, strict=True)) for line in lines]
    assert [(row["kind"], row["sublayers"]) for row in kinds] == [("attn", "4"), ("ffn", "4")]
    assert float(kinds[0]["mean_drop"]) == pytest.approx(sum(drops[f"Attn {layer}"] for layer in range(4)) / 4)
    assert max(drops, key=lambda label: drops[label]) in {row["largest"] for row in kinds}
    printed = cornerstone(plugged, "results", "kinds", *store, "--value", "gold_share", "--format", "tsv").stdout
    assert printed == written.read_text()
    drawn = cornerstone(plugged, "results", "kinds", *store).stdout
    assert drawn.split("\n")[0].split() == [name for name in head if name not in {"model_id", "task_id"}]

    report = cornerstone(
        plugged, "paper", "--task", "agreement", "--value", "gold_share", "--reach", "3", "--no-figures", *store
    ).stdout
    compared = report.partition("Do the estimators name the same top 3?")[2]
    assert "pairs, reach 2" in compared, "what is stored of a smaller reach stands in"


@pytest.mark.slow
def test_the_explorer_and_its_evaluator_have_it(
    plugged: Mapping[str, str], tiny_model_folder: Path, tmp_path: Path
) -> None:
    store, written = tmp_path / "s.duckdb", tmp_path / "kinds.tsv"
    tour = (sys.executable, "-m", "tests.support.explorer_with_plugin", store, tiny_model_folder, written)
    done = python(plugged, *tour)
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert "○ pairs" in shown["run, first"]
    assert "reach of pairs 1" in words(shown["run, first"])
    assert "reach of pairs 2" in words(shown["run"])
    assert "22 coalitions x 6 documents x agreement: 132 outcomes" in shown["run"]
    assert "pairs, reach 2, n = 6" in shown["explore"]
    assert "pairs" in shown["shapley"]
    assert [line.split()[1:3] for line in shown["kinds"].splitlines() if line.strip().startswith("acc ")] == [
        ["attn", "4"],
        ["ffn", "4"],
    ]
    assert shown["path"] == "./cornerstone-kinds.tsv"
    assert "kinds" in shown["export"]
    assert "tsv" in shown["export"]
    assert "wrote 2 rows" in shown["written"]
    read = cornerstone(plugged, "results", "kinds", "--store", store, "--task", "agreement", "--format", "tsv").stdout
    assert written.read_text() == read
