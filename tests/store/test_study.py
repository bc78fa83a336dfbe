"""A study that is run from Python: events come out, results can be read, and a caller may stop when they like."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from core.errors import CornerstoneError, OutcomesWaitError
from core.recording.orphans import waiting_spools
from store.results import Results, Selection
from store.study import Callbacks, ChunkRecorded, PhaseFinished, PhaseStarted, RunConfig, run_study
from tests.support.store_holder import held

DOCUMENTS = 3
PLAYERS = 8


def keys(model: Path, **others: Any) -> dict[str, Any]:
    return {"model": str(model), "tasks": "agreement", "limit": DOCUMENTS, "dtype": "float32", **others}


@pytest.mark.slow
def test_a_study_yields_its_events_and_its_results_can_be_read(tiny_model_folder: Path, tmp_path: Path) -> None:
    store, told = tmp_path / "my.duckdb", list[str]()
    asked = keys(tiny_model_folder, schedule="windows", max_removed=2)
    events = list(run_study(asked, store, Callbacks(told.append)))
    first, *chunks, last = events
    assert isinstance(first, PhaseStarted)
    assert (first.stored, first.phase.schedule, first.phase.value) == (0, "windows of 1 to 2", "acc")
    assert [type(event) for event in chunks] == [ChunkRecorded] * len(chunks)
    assert isinstance(chunks[-1], ChunkRecorded)
    assert chunks[-1].done == first.phase.total == DOCUMENTS * (1 + PLAYERS + PLAYERS - 1)
    assert isinstance(last, PhaseFinished)
    assert any("loading" in sentence for sentence in told)

    results = Results(store)
    assert len(results.ablation().rows) == PLAYERS
    shapley = results.shapley(Selection(task="agreement"), estimator="window-first", max_removed=2)
    assert (len(shapley.rows), shapley.gaps, shapley.partial) == (PLAYERS, (), ())
    page = results.documents(Selection(task="agreement"), (0,))
    assert page.total == DOCUMENTS
    (run,) = results.runs().rows
    assert (run.state, run.command, run.outcomes) == ("finished", "store.study.run_study", first.phase.total)


@pytest.mark.slow
def test_a_configuration_is_taken_as_well_as_its_keys(tiny_model_folder: Path, tmp_path: Path) -> None:
    store = tmp_path / "named.duckdb"
    config = RunConfig.model_validate(keys(tiny_model_folder, remove="Attn 0", store=store))
    assert isinstance(list(run_study(config))[-1], PhaseFinished)
    started = next(iter(run_study(config)))
    assert isinstance(started, PhaseStarted)
    assert started.stored == started.phase.total == DOCUMENTS * 2


@pytest.mark.slow
def test_a_caller_who_leaves_early_ends_the_run_as_stopped_and_keeps_what_was_recorded(
    tiny_model_folder: Path, tmp_path: Path
) -> None:
    store = tmp_path / "stopped.duckdb"
    study = run_study(keys(tiny_model_folder, tasks=["agreement", "capitals"]), store)
    done = next(event.done for event in study if isinstance(event, ChunkRecorded))
    study.close()
    (run,) = Results(store).runs().rows
    assert (run.state, run.outcomes) == ("stopped", done)
    assert done > 0
    assert {row.task for row in Results(store).coalitions().rows} == {"agreement"}


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"tasks": "no_such_task_at_all"}, "no_such_task_at_all"),
        ({"schedule": "windws"}, "did you mean windows"),
        ({"limmit": 3}, "limmit"),
        ({"remove": "Attn 99"}, "Attn 99"),
    ],
)
def test_what_is_wrong_is_refused_by_the_call_itself(
    tiny_model_folder: Path, tmp_path: Path, wrong: dict[str, Any], sentence: str
) -> None:
    store = tmp_path / "none.duckdb"
    with pytest.raises(CornerstoneError, match=sentence):
        run_study(keys(tiny_model_folder) | wrong, store)
    assert not store.exists()


@pytest.mark.slow
def test_a_study_goes_on_while_another_process_holds_the_store_for_seconds(
    tiny_model_folder: Path, tmp_path: Path
) -> None:
    store, told = tmp_path / "held.duckdb", list[str]()
    study = run_study(keys(tiny_model_folder, limit=12, schedule="windows"), store, Callbacks(told.append))
    started = next(event for event in study if isinstance(event, PhaseStarted))
    with held(store):
        done = next(event.done for event in study if isinstance(event, ChunkRecorded))
        assert done > 0
        assert sum(spool.outcomes for spool in waiting_spools(store)) == done
        time.sleep(3)
    last = list(study)[-1]
    assert isinstance(last, PhaseFinished)
    assert last.waiting == 0
    assert [run.outcomes for run in Results(store).runs().rows] == [started.phase.total]
    assert waiting_spools(store) == ()


@pytest.mark.slow
def test_a_study_whose_store_is_replaced_by_another_file_ends_with_where_its_outcomes_wait(
    tiny_model_folder: Path, tmp_path: Path
) -> None:
    store, told = tmp_path / "replaced.duckdb", list[str]()
    asked = keys(tiny_model_folder, limit=12, schedule="windows")
    study = run_study(asked, store, Callbacks(told.append), patience=0.5)
    started = next(event for event in study if isinstance(event, PhaseStarted))
    store.write_text("my notes")
    os.utime(store, (0, 0))
    with pytest.raises(OutcomesWaitError, match="the next run on this store stores them") as caught:
        list(study)
    (spool,) = waiting_spools(store)
    assert str(spool.path) in str(caught.value)
    assert spool.outcomes == started.phase.total
    assert len([sentence for sentence in told if "tried again every second" in sentence]) == 1
    assert store.read_text() == "my notes"
    store.unlink()
    told.clear()
    events = list(run_study(asked, store, Callbacks(told.append)))
    assert [type(event) for event in events] == [PhaseStarted, PhaseFinished], "nothing is evaluated again"
    assert any(f"{spool.outcomes} outcomes that an earlier run left" in sentence for sentence in told)
    assert waiting_spools(store) == ()
