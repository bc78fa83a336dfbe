"""`cornerstone results formats`: the rows of the store, in every format, and the command that fills what is missing."""

from __future__ import annotations

import csv
import json
import re
import shlex
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from core.coalitions.schedules import windows
from store.comparison_rows import FormatRow
from store.results import Results
from tests.support.programs import REPOSITORY, cornerstone, read
from tests.support.store_records import PLAYERS
from tests.support.two_formats import stored

SETS = windows(PLAYERS, 2)
PAGE = (REPOSITORY / "docs" / "estimators.md").read_text(encoding="utf-8")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "results.duckdb"
    for dtype in ("bfloat16", "float32"):
        stored(path, dtype, range(12), SETS)
    return path


def test_the_rows_are_those_of_the_store(store: Path) -> None:
    rows = read(store, "formats", "--max-removed", "2", "--top", "2", "--value", "margin")
    assert rows == [asdict(row) for row in Results(store).formats(value="margin", max_removed=2, top=2).rows]
    assert [(row["reference"], row["other"], row["k"]) for row in rows] == [("float32", "bfloat16", 2)]


def test_a_file_and_a_table_for_people_have_the_same_row(store: Path, tmp_path: Path) -> None:
    file = tmp_path / "formats.csv"
    done = cornerstone("results", "formats", "--store", store, "--max-removed", "2", "-o", file)
    assert done.returncode == 0, done.stderr
    with file.open(encoding="utf-8", newline="") as opened:
        (row,) = csv.DictReader(opened)
    assert [*row] == [field.name for field in fields(FormatRow)]
    assert (row["outcomes"], row["accuracy"]) == (str(12 * len(SETS)), "acc")
    done = cornerstone("results", "formats", "--store", store, "--max-removed", "2")
    head, _, body = done.stdout.splitlines()
    assert head.split()[:5] == ["model", "task", "value", "reference", "other"]
    assert body.split()[:8] == ["tiny", "capitals", "acc", "float32", "bfloat16", "12", str(len(SETS)), row["outcomes"]]


def test_one_format_alone_ends_with_2_and_the_command_that_makes_another(tmp_path: Path) -> None:
    path = tmp_path / "one.duckdb"
    stored(path, "float32", range(3), SETS)
    done = cornerstone("results", "formats", "--store", path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "tiny on capitals: it is stored in float32 alone" in done.stderr
    assert f"`cornerstone run --model tiny --task capitals --dtype bfloat16 --store {path}` fills it" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_example_of_the_docs_reads_the_store(store: Path) -> None:
    (command,) = re.findall(r"^\$ cornerstone (results formats.*)$", PAGE, re.MULTILINE)
    done = cornerstone(*shlex.split(command.replace("agreement", "capitals")), "--store", store, "--format", "json")
    assert done.returncode == 0, done.stderr
    assert {row["other"] for row in json.loads(done.stdout)} == {"bfloat16"}
    assert "partial, from windows of up to 2" in done.stderr


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--top", "0"), "--top should be greater than or equal to 1, not 0"),
        (("--reference", "tony"), "no model 'tony' in the store; did you mean tiny?"),
        (("--run", "one"), "no such option: --run"),
    ],
)
def test_a_wrong_question_ends_with_2_and_a_sentence(store: Path, options: tuple[str, ...], sentence: str) -> None:
    done = cornerstone("results", "formats", "--store", store, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
