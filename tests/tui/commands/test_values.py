"""`cornerstone results values`: the rows of the store, in every format, and the example of the docs."""

from __future__ import annotations

import csv
import json
import re
import shlex
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from core.coalitions.schedules import windows
from store.comparison_rows import ValueRow
from store.results import Results
from tests.support.programs import REPOSITORY, cornerstone, read
from tests.support.store_records import PLAYERS, assignment, documents, keep, outcome, task

SETS = windows(PLAYERS, 2)
PAGE = (REPOSITORY / "docs" / "estimators.md").read_text(encoding="utf-8")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return a store in which accuracy needs the first three players, and the log-probability the last one most."""
    path = tmp_path / "results.duckdb"
    asked = assignment(documents(range(40)), SETS, of_task=task("agreement"))
    kept = [
        outcome(one.key, removed, float(not {0, 1, 2} & set(removed)), logprobs=[-sum(removed) - 1.0, *[-2.0] * 3])
        for one in asked.documents
        for removed in SETS
    ]
    keep(path, asked, kept)
    return path


def test_the_rows_are_those_of_the_store_and_nothing_is_evaluated(store: Path) -> None:
    rows = read(store, "values", "--max-removed", "2")
    assert rows == [asdict(row) for row in Results(store).values(max_removed=2).rows]
    assert [row["value"] for row in rows][:3] == ["acc", "acc_norm", "gold_logprob"]
    assert {row["n"] for row in rows} == {40}
    (acc, *_) = rows
    assert (acc["inside"], acc["out"], acc["unsettled"], acc["documents"], acc["rho"]) == (3, 3, 0, 40, None)
    assert [run.outcomes for run in Results(store).runs().rows] == [40 * len(SETS)]


def test_undefined_numbers_are_empty_in_a_file(store: Path, tmp_path: Path) -> None:
    file = tmp_path / "values.csv"
    done = cornerstone("results", "values", "--store", store, "--max-removed", "2", "-o", file)
    assert done.returncode == 0, done.stderr
    with file.open(encoding="utf-8", newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert [*rows[0]] == [field.name for field in fields(ValueRow)]
    assert (rows[0]["rho"], rows[0]["common"], rows[0]["reliability"]) == ("", "", "1.0")
    assert float(rows[1]["rho"]) < 0


def test_people_get_a_table_and_a_sentence_that_says_how_far_the_two_agree(store: Path) -> None:
    done = cornerstone("results", "values", "--store", store, "--max-removed", "2")
    assert done.returncode == 0, done.stderr
    head, _, *body = done.stdout.splitlines()
    assert head.split()[:3] == ["model", "task", "value"]
    assert len(body) == 8
    assert "tiny on agreement: acc answers soonest: these 40 documents decide the top 3" in done.stderr


def test_the_example_of_the_docs_runs(store: Path) -> None:
    (command,) = re.findall(r"^\$ cornerstone (results values .*)$", PAGE, re.MULTILINE)
    done = cornerstone(*shlex.split(command), "--store", store, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert {row["task"] for row in json.loads(done.stdout)} == {"agreement"}
    assert "partial, from windows of up to 2" in done.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--max-removed", "0"), "--max-removed should be greater than or equal to 1, not 0"),
        (("--task", "agreemnt"), "no task 'agreemnt' in the store; did you mean agreement?"),
        (("--value", "acc"), "no such option: --value"),
    ],
)
def test_a_wrong_question_ends_with_2_and_a_sentence(store: Path, options: tuple[str, ...], sentence: str) -> None:
    done = cornerstone("results", "values", "--store", store, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
