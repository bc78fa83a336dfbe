"""The store on real DuckDB files: identity, pairing, resuming, locking, export."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest

from core.errors import CornerstoneError
from core.players import Removed
from core.records import Assignment, DataRecord, DocumentRecord, ModelRecord, Outcome, RunRecord, TaskRecord
from core.schedules import ablation, windows
from store.database import reading, writing
from store.export import to_csv, to_json, write
from store.recorder import StoreRecorder
from store.results import Results, Selection
from store.rows import AblationRow, CoalitionRow, OutcomeRow, ShapleyRow

MODEL = ModelRecord("weights", "tiny", "folder", None, "float32", "llama", ("attn", "ffn") * 2)
TASK = TaskRecord("prompt", "quiz", "1", 0, False, "multiple_choice", ("acc", "acc_norm", "likely"), ("f1",))
DATA = DataRecord("data", "quiz.jsonl", 8)
Rule = Callable[[int, Removed], float]


def documents(count: int, prefix: str = "key") -> list[DocumentRecord]:
    return [DocumentRecord(f"{prefix}{i}", i, (i % 2,), f"question {i}", ("yes", "no")) for i in range(count)]


def assignment(docs: Sequence[DocumentRecord], coalitions: Sequence[Removed], **changes: object) -> Assignment:
    return replace(Assignment(MODEL, TASK, DATA, docs, coalitions), **changes)


def outcomes(asked: Assignment, rule: Rule) -> list[Outcome]:
    return [
        Outcome(doc.key, removed, (-1.5, -2.5), (True, False), {"acc": rule(doc.doc_id, removed), "acc_norm": 1.0,
                "likely": 0.25}, {"f1": [0, 1]})
        for removed in asked.coalitions for doc in asked.documents
    ]  # fmt: skip


def fill(path: Path, asked: Assignment, rule: Rule, run: str = "run1") -> None:
    recorder = StoreRecorder(path)
    recorder.begin(RunRecord(run, "cornerstone run", "{}", "{}", 0))
    recorder.assign(run, asked)
    recorder.record(run, asked, outcomes(asked, rule))
    recorder.finish(run, "finished")


def hurt_by_first(doc_id: int, removed: Removed) -> float:
    return float(doc_id % 4 != 0 and 0 not in removed)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.duckdb"


def test_ablation_is_paired_and_complete(path: Path) -> None:
    fill(path, assignment(documents(8), ablation(4)), hurt_by_first)
    rows = Results(path).ablation().rows
    assert [row.label for row in rows] == ["Attn 0", "FFN 0", "Attn 1", "FFN 1"]
    first, second = rows[:2]
    assert (first.n, first.intact_acc, first.acc, first.drop, first.chance) == (8, 0.75, 0.0, 0.75, 0.5)
    assert first.drop_low > 0
    assert first.acc_se == 0.0
    assert (second.drop, second.kind, second.layer) == (0.0, "ffn", 0)
    assert second.drop_low < 0 < second.drop_high


def test_drops_count_only_documents_that_both_have(path: Path) -> None:
    fill(path, assignment(documents(8), [()]), hurt_by_first)
    fill(path, assignment(documents(4), [(0,)]), hurt_by_first, run="run2")
    (row,) = Results(path).ablation().rows
    assert (row.n, row.intact_acc) == (4, 0.75)


def test_nothing_is_stored_twice(path: Path) -> None:
    asked = assignment(documents(4), windows(4, 2))
    fill(path, asked, hurt_by_first)
    StoreRecorder(path).record("run1", asked, outcomes(asked, lambda *_: 0.5))
    rows = Results(path).outcomes().rows
    assert len(rows) == 4 * len(windows(4, 2))
    assert {row.acc for row in rows} == {0.0, 1.0}


def test_what_is_stored_is_known(path: Path) -> None:
    part = assignment(documents(2), ablation(4))
    fill(path, part, hurt_by_first)
    stored = StoreRecorder(path).stored(assignment(documents(3), windows(4, 2)))
    assert stored == {"key0": frozenset(ablation(4)), "key1": frozenset(ablation(4))}
    other_dtype = assignment(documents(3), ablation(4), model=replace(MODEL, fingerprint="half", dtype="bfloat16"))
    assert StoreRecorder(path).stored(other_dtype) == {}


def test_two_data_files_under_one_task_name_do_not_pool(path: Path) -> None:
    fill(path, assignment(documents(8), ablation(4)), hurt_by_first)
    other = assignment(documents(6, "other"), ablation(4), data=DataRecord("other data", "other.jsonl", 6))
    fill(path, other, lambda *_: 1.0, run="run2")
    rows = Results(path).ablation().rows
    assert [row.n for row in rows] == [8] * 4 + [6] * 4
    ids = sorted({row.task_id for row in rows})
    assert len(ids) == 2
    assert len(Results(path).ablation(Selection(task=f"quiz@{rows[-1].task_id}")).rows) == 4
    assert {row.acc for row in Results(path).ablation(Selection(task=rows[-1].task_id)).rows} == {1.0}


def test_a_document_in_two_data_sets_is_evaluated_once_and_seen_by_both(path: Path) -> None:
    fill(path, assignment(documents(4), ablation(4)), hurt_by_first)
    larger = assignment(documents(6), ablation(4), data=DataRecord("larger", "larger.jsonl", 6))
    assert set(StoreRecorder(path).stored(larger)) == {"key0", "key1", "key2", "key3"}
    fill(path, larger, lambda *_: 0.5, run="run2")
    assert [row.n for row in Results(path).coalitions().rows] == [4] * 5 + [6] * 5
    with reading(path) as db:
        assert db.execute("SELECT count(*) FROM outcomes").fetchone() == (6 * 5,)


def test_the_same_document_twice_in_a_data_set_counts_twice(path: Path) -> None:
    twin = replace(documents(1)[0], doc_id=1)
    fill(path, assignment([documents(1)[0], twin], ablation(4)), lambda *_: 1.0)
    assert {row.n for row in Results(path).coalitions().rows} == {2}


def test_a_run_shows_what_it_asked_for(path: Path) -> None:
    fill(path, assignment(documents(8), windows(4, 2)), hurt_by_first)
    fill(path, assignment(documents(3), ablation(4)), hurt_by_first, run="run2")
    assert {row.n for row in Results(path).coalitions(Selection(run="run2")).rows} == {3}
    assert len(Results(path).outcomes(Selection(run="run2")).rows) == 3 * 5
    assert [(run.run, run.state, run.tasks) for run in Results(path).runs().rows] == [
        ("run2", "finished", ("quiz",)),
        ("run1", "finished", ("quiz",)),
    ]
    with pytest.raises(CornerstoneError, match="no run 'run3'"):
        Results(path).coalitions(Selection(run="run3"))


def test_shapley_equals_a_hand_calculation_from_coalitions(path: Path) -> None:
    rng = np.random.default_rng(0)
    table = {removed: rng.integers(0, 2, 8) for removed in windows(4, 3)}
    fill(path, assignment(documents(8), windows(4, 3)), lambda doc_id, removed: float(table[removed][doc_id]))
    v = {row.removed: row.acc for row in Results(path).coalitions().rows}
    rows = {(row.estimator, row.player): row for row in Results(path).shapley(max_removed=3).rows}
    first = (v[()] - v[1,] + v[2,] - v[1, 2] + v[2, 3] - v[1, 2, 3]) / 3
    ends = (3 * first + v[0,] - v[0, 1]) / 4
    assert rows["window-first", 1].phi == pytest.approx(first)
    assert rows["window-ends", 1].phi == pytest.approx(ends)
    assert sum(row.share or 0 for (name, _), row in rows.items() if name == "window-first") == pytest.approx(1)


def test_half_a_schedule_is_told_with_what_fills_it(path: Path) -> None:
    fill(path, assignment(documents(8), ablation(4)), hurt_by_first)
    answer = Results(path).shapley()
    assert not answer.rows
    assert "6 of 11 coalitions are missing" in answer.gaps[0]
    assert "--schedule windows" in answer.gaps[0]
    assert len(Results(path).shapley(max_removed=1).rows) == 8


def test_metrics_that_are_no_means_are_refused_as_values(path: Path) -> None:
    fill(path, assignment(documents(2), ablation(4)), hurt_by_first)
    with pytest.raises(CornerstoneError, match="'f1' of quiz is not a mean"):
        Results(path).ablation(value="f1")
    assert {row.intact_acc for row in Results(path).ablation(value="likely").rows} == {0.25}


def test_a_task_without_the_value_does_not_hide_the_others(path: Path) -> None:
    fill(path, assignment(documents(2), ablation(4)), hurt_by_first)
    rolling = replace(TASK, fingerprint="rolling", name="pages", mean_metrics=(), other_metrics=("word_perplexity",))
    fill(path, assignment(documents(2), ablation(4), task=rolling), hurt_by_first, run="run2")
    answer = Results(path).ablation()
    assert {row.task for row in answer.rows} == {"quiz"}
    assert answer.gaps == ("'acc' of pages is not a mean over its documents, so it is no value here (usable: none)",)


def test_chance_is_unknown_where_there_is_nothing_to_choose(path: Path) -> None:
    single = [replace(doc, choices=("only",)) for doc in documents(4)]
    fill(path, assignment(single, ablation(4)), hurt_by_first)
    assert {row.chance for row in Results(path).ablation().rows} == {None}


def test_json_has_the_promised_keys_and_never_nan(path: Path) -> None:
    fill(path, assignment(documents(1), windows(4, 4)), lambda *_: 0.0)
    results = Results(path)
    for answer, wanted in (
        (results.ablation(), "model task value player label layer kind n acc acc_se intact_acc drop drop_low drop_high "
         "chance"),
        (results.coalitions(), "model task removed n acc acc_se acc_norm"),
        (results.outcomes(), "model task removed doc_id gold logprobs is_greedy acc acc_norm"),
        (results.shapley(), "model task value estimator max_removed player label phi phi_clipped se share rank n"),
    ):  # fmt: skip
        text = to_json(answer.rows)
        rows = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))
        assert list(rows[0])[: len(wanted.split())] == wanted.split()
    assert json.loads(to_json(results.shapley().rows))[0]["share"] is None
    assert json.loads(to_json(results.ablation().rows))[0]["acc_se"] is None


def test_csv_keeps_numbers_and_defuses_formulas(path: Path) -> None:
    hostile = replace(MODEL, name="=cmd|' /C calc'!A0")
    fill(path, assignment(documents(4), ablation(4), model=hostile), hurt_by_first)
    rows = list(csv.DictReader(io.StringIO(to_csv(Results(path).ablation().rows, AblationRow))))
    assert rows[0]["model"] == "'=cmd|' /C calc'!A0"
    assert float(rows[1]["drop_low"]) < 0
    coalition = list(csv.DictReader(io.StringIO(to_csv(Results(path).coalitions().rows, CoalitionRow))))[1]
    assert json.loads(coalition["removed"]) == [0]


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_files_are_written_whole_and_not_replaced_unasked(path: Path, tmp_path: Path, form: str) -> None:
    fill(path, assignment(documents(4), windows(4, 4)), hurt_by_first)
    rows, out = Results(path).shapley().rows, tmp_path / f"out.{form}"
    write(rows, ShapleyRow, form, out, force=False)
    with pytest.raises(CornerstoneError, match="exists; add --force"):
        write(rows, ShapleyRow, form, out, force=False)
    write(rows, ShapleyRow, form, out, force=True)
    found = duckdb.connect().execute(f"SELECT count(*), max(phi) FROM '{out}'").fetchone()
    assert found == (8, pytest.approx(max(row.phi for row in rows)))
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([out.name, path.name])


def test_no_store_is_told_and_not_made(path: Path) -> None:
    with pytest.raises(CornerstoneError, match=r"no results at .* yet"):
        Results(path).ablation()
    assert not path.exists()


def test_other_files_are_refused(path: Path) -> None:
    path.write_text("not a database " * 1000)
    with pytest.raises(CornerstoneError, match=r"results\.duckdb"):
        Results(path).ablation()
    path.unlink()
    duckdb.connect(str(path)).execute("CREATE TABLE t (a INTEGER)").close()
    with pytest.raises(CornerstoneError, match="no store of this program"):
        Results(path).ablation()


def test_a_newer_store_is_refused(path: Path) -> None:
    with writing(path) as db:
        db.execute("UPDATE meta SET schema_version = 99")
    with pytest.raises(CornerstoneError, match="written by a newer version"):
        Results(path).runs()


HOLD = "import duckdb, sys, time; db = duckdb.connect(sys.argv[1]); print('held', flush=True); time.sleep({})"


def test_a_store_held_by_another_process_is_waited_for(path: Path) -> None:
    fill(path, assignment(documents(2), ablation(4)), hurt_by_first)
    command = [sys.executable, "-c", HOLD.format(1), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        assert len(Results(path).ablation().rows) == 4


def test_patience_ends_with_a_sentence(path: Path) -> None:
    fill(path, assignment(documents(2), ablation(4)), hurt_by_first)
    command = [sys.executable, "-c", HOLD.format(60), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        try:
            with pytest.raises(CornerstoneError, match="in use by another program"), reading(path, patience=0.5):
                pass
        finally:
            holder.kill()


WRITE_UNTIL_KILLED = """
import sys
from pathlib import Path
from tests.store.test_store import assignment, documents, hurt_by_first, outcomes, RunRecord, StoreRecorder, windows
recorder = StoreRecorder(Path(sys.argv[1]))
recorder.begin(RunRecord("run1", "", "{}", "{}", 0))
for start in range(0, 4000, 40):
    asked = assignment(documents(4000)[start:start + 40], windows(4, 4))
    recorder.assign("run1", asked)
    recorder.record("run1", asked, outcomes(asked, hurt_by_first))
    print(start, flush=True)
"""


def test_kill_9_while_writing_loses_nothing_committed(path: Path) -> None:
    command = [sys.executable, "-c", WRITE_UNTIL_KILLED, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(4):
            committed = int(writer.stdout.readline())
        time.sleep(0.05)
        writer.kill()
    rows = Results(path).outcomes().rows
    counted: Mapping[int, int] = {}
    counted = {doc_id: sum(row.doc_id == doc_id for row in rows) for doc_id in {row.doc_id for row in rows}}
    assert set(counted.values()) == {len(windows(4, 4))}
    assert set(range(committed + 40)) <= set(counted)
    assert isinstance(rows[0], OutcomeRow)
