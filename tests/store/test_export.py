"""Rows in every format: the keys promised, nothing that a reader chokes on, files whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from core.coalitions.schedules import ablation, windows
from core.errors import CornerstoneError, Mend
from store.export import columns_of, render, write
from store.formats.registry import formats
from store.results import Results
from store.rows import AblationRow, CoalitionRow, OutcomeRow, RunRow, ShapleyRow
from tests.support.store_records import PLAYERS, assignment, documents, keep, keep_all, model, outcome

EVERY_WINDOW = windows(PLAYERS, 4)

PROMISED = {
    "ablation": "model task value player label layer kind n acc acc_se intact_acc drop drop_low drop_high chance",
    "coalitions": "model task removed n acc acc_se acc_norm label drop drop_low drop_high",
    "outcomes": "model task removed doc_id gold logprobs is_greedy acc acc_norm more written",
    "shapley": "model task value estimator max_removed player label phi phi_clipped se share rank n",
}


@pytest.fixture
def one_wrong_answer(path: Path) -> Results:
    """One document that no coalition gets right: standard errors and shares are undefined."""
    keep_all(path, assignment(documents([0]), EVERY_WINDOW), {removed: [0.0] for removed in EVERY_WINDOW})
    return Results(path)


def parsed(rows: Sequence[Any]) -> list[dict[str, Any]]:
    return json.loads(render(rows, type(rows[0]), "json"), parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


@pytest.mark.parametrize("table", PROMISED)
def test_json_has_the_promised_keys_in_order(one_wrong_answer: Results, table: str) -> None:
    wanted = PROMISED[table].split()
    for row in parsed(getattr(one_wrong_answer, table)().rows):
        assert list(row)[: len(wanted)] == wanted


def test_what_is_undefined_is_null(one_wrong_answer: Results) -> None:
    assert {row["acc_se"] for row in parsed(one_wrong_answer.ablation().rows)} == {None}
    assert {row["acc_se"] for row in parsed(one_wrong_answer.coalitions().rows)} == {None}
    for row in parsed(one_wrong_answer.shapley().rows):
        assert [row[key] for key in ("se", "share", "share_low", "share_high")] == [None] * 4


def test_an_infinite_log_probability_is_null_in_a_file(path: Path, tmp_path: Path) -> None:
    keep(path, assignment(documents([0]), [()]), [outcome("doc-0", logprobs=(-math.inf, -2.5))])
    rows, out = Results(path).outcomes().rows, tmp_path / "out.parquet"
    assert parsed(rows)[0]["logprobs"] == [None, -2.5]
    write(rows, OutcomeRow, "parquet", out, force=False)
    assert duckdb.connect().execute(f"SELECT logprobs, gold FROM '{out}'").fetchone() == ([None, -2.5], [0])


def test_csv_keeps_numbers_and_lists_and_defuses_formulas(path: Path) -> None:
    hostile = assignment(documents(range(4)), ablation(PLAYERS), of_model=model("=cmd|' /C calc'!A0"))
    keep_all(path, hostile, {removed: [0.0, 1.0, 1.0, float(not removed)] for removed in ablation(PLAYERS)})
    rows = list(csv.DictReader(io.StringIO(render(Results(path).ablation().rows, AblationRow, "csv"))))
    assert rows[0]["model"] == "'=cmd|' /C calc'!A0"
    assert float(rows[1]["drop_low"]) < 0
    coalition = list(csv.DictReader(io.StringIO(render(Results(path).coalitions().rows, CoalitionRow, "csv"))))[1]
    assert json.loads(coalition["removed"]) == [0]


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_files_are_written_whole_and_not_replaced_unasked(path: Path, tmp_path: Path, form: str) -> None:
    acc = {removed: [float(0 not in removed)] * 4 for removed in EVERY_WINDOW}
    keep_all(path, assignment(documents(range(4)), EVERY_WINDOW), acc)
    rows, out = Results(path).shapley().rows, tmp_path / f"out.{form}"
    write(rows, ShapleyRow, form, out, force=False)
    with pytest.raises(CornerstoneError, match=r"exists$") as refused:
        write(rows, ShapleyRow, form, out, force=False)
    assert refused.value.mend == Mend.REPLACE_FILE
    write(rows, ShapleyRow, form, out, force=True)
    found = duckdb.connect().execute(f"SELECT count(*), max(phi) FROM '{out}'").fetchone()
    assert found == (2 * PLAYERS, pytest.approx(max(row.phi for row in rows)))
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([out.name, path.name])


@pytest.mark.parametrize("form", formats())
def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path, form: str) -> None:
    with pytest.raises(CornerstoneError, match=r"cannot write .*: there is no folder"):
        write([], RunRow, form, tmp_path / "nowhere" / "out", force=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", formats())
def test_what_is_no_file_is_not_replaced(tmp_path: Path, form: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    for place, what in ((tmp_path, "is a folder"), (tmp_path / "pipe", "is a pipe")):
        with pytest.raises(CornerstoneError, match=what):
            write([], RunRow, form, place, force=True)
    assert (tmp_path / "pipe").is_fifo()
    with pytest.raises(CornerstoneError, match=r"cannot write .*: File name too long"):
        write([], RunRow, form, tmp_path / ("x" * 300), force=False)


@pytest.mark.parametrize("row_type", [AblationRow, CoalitionRow, OutcomeRow, ShapleyRow, RunRow])
def test_a_table_without_rows_keeps_its_columns(tmp_path: Path, row_type: type) -> None:
    assert render([], row_type, "csv").strip().split(",") == list(columns_of(row_type))
    assert render([], row_type, "json") == "[]\n"
    out = tmp_path / "out.parquet"
    write([], row_type, "parquet", out, force=False)
    assert tuple(duckdb.read_parquet(str(out)).columns) == columns_of(row_type)
