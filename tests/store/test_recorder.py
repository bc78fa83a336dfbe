"""What is kept, and under which name: identity, each outcome once, resuming, crashes, two writers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.coalitions.players import Removed
from core.coalitions.schedules import ablation
from core.errors import CornerstoneError
from core.machine.process import here
from store.recorder import StoreRecorder
from store.results import Results, Selection
from tests.support.store_records import (
    PLAYERS,
    assignment,
    data,
    documents,
    keep,
    keep_all,
    model,
    outcome,
    run,
    task,
)

REPOSITORY = Path(__file__).parents[2]
INTACT: Removed = ()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "results.duckdb"


def count(path: Path, table: str = "outcomes") -> int:
    with duckdb.connect(str(path), read_only=True) as db:
        (rows,) = db.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)
        return int(rows)


def test_what_is_recorded_is_read_back_as_it_was(path: Path) -> None:
    asked = assignment(documents([7]), [INTACT, (0, 3)])
    first = outcome("doc-7", (), 1.0, logprobs=(-0.1, -2.25, -1e-300, -512.5))
    keep(path, asked, [first, outcome("doc-7", (0, 3), 0.0)])
    intact, removed = Results(path).outcomes().rows
    assert (intact.removed, intact.doc_id, intact.gold) == ((), 7, 3)
    assert (intact.logprobs, intact.is_greedy) == (first.logprobs, first.is_greedy)
    assert (intact.acc, intact.acc_norm) == (1.0, 0.0)
    assert (removed.removed, removed.acc) == ((0, 3), 0.0)


def test_an_outcome_is_stored_once_and_stays_as_it_was_first(path: Path) -> None:
    asked = assignment(documents([0, 1]), [INTACT])
    recorder = keep(path, asked, [outcome("doc-0", (), 1.0)])
    twice = [outcome("doc-0", (), 0.0), outcome("doc-1", (), 1.0), outcome("doc-1", (), 1.0)]
    recorder.record("run1", asked, twice)
    recorder.record("run1", asked, twice)
    assert [(row.doc_id, row.acc) for row in Results(path).outcomes().rows] == [(0, 1.0), (1, 1.0)]


def test_two_data_files_under_one_task_name_do_not_pool(path: Path) -> None:
    coalitions = ablation(PLAYERS)
    ours = assignment(documents(range(3)), coalitions, of_data=data("ours"))
    theirs = assignment(documents(range(5), prefix="other"), coalitions, of_data=data("theirs"))
    keep_all(path, ours, dict.fromkeys(coalitions, [1.0] * 3), run_id="a")
    keep_all(path, theirs, dict.fromkeys(coalitions, [0.0] * 5), run_id="b")
    rows = [row for row in Results(path).coalitions().rows if row.removed == ()]
    assert sorted((row.n, row.acc) for row in rows) == [(3, 1.0), (5, 0.0)]
    assert len({row.task_id for row in rows}) == 2
    one = next(row for row in rows if row.n == 5)
    for name in (one.task_id, f"capitals@{one.task_id}"):
        assert [row.n for row in Results(path).ablation(Selection(task=name)).rows] == [5] * PLAYERS


def test_a_document_in_two_data_sets_is_stored_once_and_both_see_it(path: Path) -> None:
    small = assignment(documents([0, 1]), [INTACT], of_data=data("small"))
    shared = documents([0, 1], prefix="doc") + documents([5], prefix="new")
    large = assignment(shared, [INTACT], of_data=data("large"))
    recorder = keep(path, small, [outcome("doc-0", (), 1.0), outcome("doc-1", (), 0.0)], run_id="a")
    recorder.begin(run("b"))
    recorder.assign("b", large)
    assert recorder.stored(large) == {"doc-0": {INTACT}, "doc-1": {INTACT}}
    recorder.record("b", large, [outcome("new-5", (), 1.0)])
    assert count(path) == 3
    assert sorted(row.n for row in Results(path).coalitions().rows) == [2, 3]


def test_the_same_document_at_two_places_of_a_data_set_counts_twice_as_lm_eval_counts_it(path: Path) -> None:
    first, second = documents([0, 1])
    twin = type(second)(first.key, 1, first.gold, first.prompt, first.choices)
    keep(path, assignment([first, twin], [INTACT]), [outcome(first.key, (), 1.0)])
    assert count(path) == 1
    assert [row.doc_id for row in Results(path).outcomes().rows] == [0, 1]
    assert Results(path).coalitions().rows[0].n == 2


def test_other_dtype_or_prompt_settings_are_another_model_or_task(path: Path) -> None:
    docs = documents([0])
    half = model(dtype="bfloat16")
    recorder = keep(path, assignment(docs, [INTACT]), [outcome("doc-0")])
    for other in (assignment(docs, [INTACT], of_model=half), assignment(docs, [INTACT], of_task=task(shots=5))):
        assert recorder.stored(other) == {}
        recorder.assign("run1", other)
        recorder.record("run1", other, [outcome("doc-0", (), 0.0)])
    rows = Results(path).coalitions().rows
    assert sorted((row.n, row.acc) for row in rows) == [(1, 0.0), (1, 0.0), (1, 1.0)]
    assert (len({row.model_id for row in rows}), len({row.task_id for row in rows})) == (2, 2)


def test_stored_tells_what_need_not_be_evaluated_and_only_of_what_is_asked(path: Path) -> None:
    asked = assignment(documents([0, 1, 2]), [INTACT, (0,), (1,)])
    done = [outcome("doc-0", removed) for removed in asked.coalitions] + [outcome("doc-1", (1,))]
    recorder = keep(path, asked, done)
    assert recorder.stored(asked) == {"doc-0": {INTACT, (0,), (1,)}, "doc-1": {(1,)}}
    assert recorder.stored(assignment(documents([0]), [(0,), (5,)])) == {"doc-0": {(0,)}}


def test_asking_what_is_stored_makes_no_store(path: Path) -> None:
    assert StoreRecorder(path).stored(assignment(documents([0]), [INTACT])) == {}
    assert not path.parent.exists()


def test_a_document_that_was_never_assigned_is_not_dropped_in_silence(path: Path) -> None:
    asked = assignment(documents([0]), [INTACT])
    recorder = keep(path, asked, [])
    with pytest.raises(KeyError):
        recorder.record("run1", asked, [outcome("doc-0"), outcome("stranger")])
    assert count(path) == 0


def test_hostile_and_broken_text_is_kept_or_replaced_but_never_fails(path: Path) -> None:
    name = "[red]m[/]\x1b[31m\x00'; DROP TABLE outcomes; --\udcff"
    docs = documents([0])
    broken = type(docs[0])("doc-0", 0, (), "\ud800 prompt", ("\udfff", "b"))
    keep(path, assignment([broken], [INTACT], of_model=model(name)), [outcome("doc-0")])
    (row,) = Results(path).outcomes().rows
    assert row.model == name.replace("\udcff", "?")
    assert row.gold is None


def test_metrics_that_are_no_number_are_kept_as_json(path: Path) -> None:
    nan, inf = float("nan"), float("inf")
    metrics = {"acc": nan, "brier": 0.25, "odd": nan}
    other = {"f1": (0, 1), "perplexity": [-inf, nan], "text": "x"}
    kept = outcome("doc-0", metrics=metrics, other=other, logprobs=(-inf, -1.0, nan, -2.0))
    keep(path, assignment(documents([0]), [INTACT]), [kept])
    with duckdb.connect(str(path), read_only=True) as db:
        acc, more, others = db.execute("SELECT acc, more, other FROM outcomes").fetchone() or ()
    assert acc is None
    assert json.loads(more) == {"brier": 0.25, "odd": None}
    assert json.loads(others) == {"f1": [0, 1], "perplexity": ["-inf", "nan"], "text": "x"}


batches = st.lists(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.sampled_from([0.0, 1.0])), max_size=8), max_size=4
)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(batches=batches)
def test_whatever_is_recorded_in_whatever_order_the_first_of_each_stays(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[tuple[int, int, float]]]
) -> None:
    path = tmp_path_factory.mktemp("store") / "s.duckdb"
    asked = assignment(documents(range(4)), ablation(PLAYERS))
    recorder = keep(path, asked, [])
    kept: dict[tuple[int, Removed], float] = {}
    for batch in batches:
        recorder.record("run1", asked, [outcome(f"doc-{d}", asked.coalitions[w], a) for d, w, a in batch])
        for doc, which, acc in batch:
            kept.setdefault((doc, asked.coalitions[which]), acc)
    assert {(row.doc_id, row.removed): row.acc for row in Results(path).outcomes().rows} == kept
    expected: dict[str, set[Removed]] = {}
    for doc, removed in kept:
        expected.setdefault(f"doc-{doc}", set()).add(removed)
    assert recorder.stored(asked) == expected


_WRITER = """
import sys
from pathlib import Path
from store.recorder import StoreRecorder
from tests.support.store_records import assignment, documents, outcome, run
path, name, first, last = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
recorder = StoreRecorder(path)
asked = assignment(documents(range(first, last)), [(), (0,), (1,)])
recorder.begin(run(name))
recorder.assign(name, asked)
for document in asked.documents:
    recorder.record(name, asked, [outcome(document.key, removed) for removed in asked.coalitions])
    print(document.key, flush=True)
"""


def writer(path: Path, name: str, first: int, last: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path), name, str(first), str(last)],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_a_writer_killed_in_the_middle_loses_nothing_that_was_committed(path: Path) -> None:
    killed = writer(path, "killed", 0, 10_000)
    assert killed.stdout is not None
    told = [killed.stdout.readline().strip() for _ in range(5)]
    os.kill(killed.pid, signal.SIGKILL)
    told += [line.strip() for line in killed.stdout]
    killed.wait()
    killed.stdout.close()
    asked = assignment(documents(range(10_000)), [(), (0,), (1,)])
    stored = StoreRecorder(path).stored(asked)
    assert set(told) <= set(stored)
    assert all(coalitions == {(), (0,), (1,)} for coalitions in stored.values()), "a chunk is there whole or not"
    keep(path, asked, [outcome(key, removed) for key in stored for removed in asked.coalitions], run_id="again")
    assert count(path) == 3 * len(stored)


@pytest.mark.slow
def test_two_processes_write_at_the_same_time_and_a_third_reads(path: Path) -> None:
    writers = [writer(path, "a", 0, 8), writer(path, "b", 4, 12)]
    while any(one.poll() is None for one in writers):
        if path.exists():
            read_while_written(path)
    for one in writers:
        assert one.stdout is not None
        assert len(one.stdout.read().split()) == 8
        assert one.wait() == 0
        one.stdout.close()
    asked = assignment(documents(range(12)), [(), (0,), (1,)])
    assert len(StoreRecorder(path).stored(asked)) == 12
    assert count(path) == 36


def read_while_written(path: Path) -> None:
    """A store that a first writer is just making may not be one yet: that is one sentence, never a crash."""
    try:
        rows = Results(path).outcomes().rows
    except CornerstoneError:
        return
    assert len({(row.doc_id, row.removed) for row in rows}) == len(rows)


def test_a_run_that_ended_says_how(path: Path) -> None:
    recorder = StoreRecorder(path)
    for name, state in (("one", "finished"), ("two", "failed")):
        recorder.begin(run(name))
        recorder.finish(name, state)  # type: ignore[arg-type]
    recorder.begin(replace(run("three"), versions=json.dumps(here())))
    rows = {row.run: row for row in Results(path).runs().rows}
    assert [rows[name].state for name in ("one", "two", "three")] == ["finished", "failed", "running"]
    assert rows["three"].finished is None
    assert rows["one"].finished is not None
    assert rows["one"].started <= rows["one"].finished


def test_a_run_that_is_begun_again_goes_on_from_its_first_start(path: Path) -> None:
    recorder = StoreRecorder(path)
    again = replace(run("one"), versions=json.dumps(here()))
    for state in ("finished", "cancelled"):
        recorder.begin(again)
        (row,) = Results(path).runs().rows
        assert (row.state, row.finished) == ("running", None)
        recorder.finish("one", state)  # type: ignore[arg-type]
        first, (row,) = row.started, Results(path).runs().rows
        assert row.state == state
        assert row.finished is not None
        assert row.started == first


def test_values_are_everything_stored_of_the_documents_asked_for(path: Path) -> None:
    asked = assignment(documents([0, 1, 2]), [INTACT, (0, 3), (4,)])
    kept = [outcome("doc-2", (0, 3), 0.25), outcome("doc-0", INTACT, 1.0), outcome("doc-0", (0, 3), 0.5)]
    recorder = keep(path, asked, [*kept, outcome("doc-1", (4,))])
    found = recorder.values(assignment(documents([0, 2, 9]), [INTACT]), "acc")
    assert set(found.keys) == {"doc-0", "doc-2"}
    assert set(found.removed) == {INTACT, (0, 3)}
    there = {
        (found.keys[column], found.removed[row]): found.values[row, column] for row, column in np.argwhere(found.there)
    }
    assert there == {(one.document, one.removed): one.metrics["acc"] for one in kept}
    assert np.isnan(found.values[~found.there]).all()


def test_values_of_any_metric_tell_a_missing_number_from_a_missing_outcome(path: Path) -> None:
    asked = assignment(documents([0, 1, 2]), [INTACT])
    metrics = ({"acc": float("nan"), "odd one": 0.75}, {"acc_norm": 0.5, "odd one": float("inf")})
    recorder = keep(path, asked, [outcome(f"doc-{i}", metrics=one) for i, one in enumerate(metrics)])
    for metric, expected in {"acc": {}, "acc_norm": {"doc-1": 0.5}, "odd one": {"doc-0": 0.75}, "none": {}}.items():
        found = recorder.values(asked, metric)
        assert sorted(found.keys) == ["doc-0", "doc-1"]
        assert found.there.all()
        (row,) = found.values
        assert {key: value for key, value in zip(found.keys, row, strict=True) if not np.isnan(value)} == expected


def test_values_are_of_one_model_and_one_task(path: Path) -> None:
    asked = assignment(documents([0]), [INTACT])
    recorder = keep(path, asked, [outcome("doc-0", INTACT, 1.0)])
    for other in ({"of_model": model("other")}, {"of_task": task(shots=5)}):
        stranger = assignment(documents([0]), [INTACT], **other)  # type: ignore[arg-type]
        assert recorder.values(stranger, "acc").there.size == 0
        keep(path, stranger, [outcome("doc-0", INTACT, 0.0)], run_id=str(len(other)) + next(iter(other)))
    assert recorder.values(asked, "acc").values.tolist() == [[1.0]]


def test_asking_for_values_makes_no_store(path: Path) -> None:
    found = StoreRecorder(path).values(assignment(documents([0]), [INTACT]), "acc")
    assert (found.removed, found.keys, found.values.size, found.there.size) == ((), (), 0, 0)
    assert not path.parent.exists()
