"""`cornerstone results sql`: a query's rows as any table's, and its mistakes with their place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.programs import cornerstone
from tests.support.screen_host import fill


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "results.duckdb"
    fill(path)
    return path


def test_rows_are_printed_and_written_as_those_of_any_table(path: Path, tmp_path: Path) -> None:
    query = """SELECT 'm' AS model, 'i' AS model_id, '\x1b[2J[/]' AS "the text", avg(acc) AS mean
        FROM outcomes JOIN coalitions USING (coalition) WHERE removed = [0]"""
    drawn = cornerstone("results", "sql", "--store", path, query)
    assert drawn.returncode == 0, drawn.stderr
    head, _, row = drawn.stdout.splitlines()
    assert head.split() == ["model", "model_id", "the", "text", "mean"]
    assert row.split() == ["m", "i", "[2J[/]", "0.333"]
    written = cornerstone("results", "sql", "--store", path, query, "-o", tmp_path / "x.json")
    assert "wrote 1 row" in written.stderr
    (found,) = json.loads((tmp_path / "x.json").read_text())
    assert found == {"model": "m", "model_id": "i", "the text": "\x1b[2J[/]", "mean": pytest.approx(1 / 3)}


def test_more_rows_than_are_kept_are_told(path: Path) -> None:
    found = cornerstone("results", "sql", "--store", path, "FROM range(100001)", "--format", "csv")
    assert found.stdout.count("\n") == 100_001
    assert found.stderr == (
        "note: the result has more rows than these: at most 100 000 rows are kept; add a LIMIT or a WHERE\n"
    )


def test_a_mistake_is_a_sentence_with_its_place(path: Path) -> None:
    found = cornerstone("results", "sql", "--store", path, "SELECT typo FROM runs")
    assert found.returncode == 2
    assert found.stdout == ""
    assert found.stderr.splitlines() == [
        "LINE 1: SELECT typo FROM runs",
        "               ^^^^",
        'cornerstone: Referenced column "typo" not found in FROM clause; Candidate bindings: "state"',
    ]
