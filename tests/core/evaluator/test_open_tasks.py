"""An opened workbench names the runs of other processes, and what is picked by hand is one run of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from core.evaluator.live_recorder import LiveRecorder
from core.evaluator.open_tasks import OpenTasks
from core.machine.process import here
from core.records.records import RunRecord, Writer
from core.study.listener import SILENT
from core.tasks.index import shipped_tasks
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.evaluator_process import config_of


def test_a_run_of_another_process_is_told_until_it_has_ended(tiny_model_folder: Path, tmp_path: Path) -> None:
    recorder = StoreRecorder(tmp_path / "s.duckdb")
    behind = LiveRecorder(recorder, tmp_path / "s.duckdb", lambda: None)
    open_tasks = OpenTasks(behind)

    def writers() -> tuple[Writer, ...]:
        open_tasks.open(config_of(tiny_model_folder), SILENT, keep=False)
        opened = open_tasks.opened()
        assert opened is not None
        return opened.writers

    assert writers() == ()
    processes = {"own": here(), "away": {**here(), "host": "another machine"}, "gone": {**here(), "began": "0"}}
    for run_id, process in processes.items():
        recorder.begin(RunRecord(run_id, "cornerstone run quickstart", "{}", json.dumps(process), 0))
    assert writers() == (Writer("away", "cornerstone run quickstart"),)
    recorder.finish("away", "finished")
    assert writers() == ()
    assert behind.close(5).outcomes == 0


def test_two_data_files_of_one_task_are_told_apart(tiny_model_folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    shipped = next(task for task in shipped_tasks() if task.name == "agreement")
    own.write_text("".join(shipped.data.read_text(encoding="utf-8").splitlines(keepends=True)[:5]), encoding="utf-8")
    config = config_of(tiny_model_folder)
    both = (config.tasks[0], config.tasks[0].model_copy(update={"data": own}))
    behind = LiveRecorder(StoreRecorder(tmp_path / "s.duckdb"), tmp_path / "s.duckdb", lambda: None)
    open_tasks = OpenTasks(behind)
    for tasks, alone in ((both, False), (both[1:], True)):
        open_tasks.open(config.model_copy(update={"tasks": tasks}), SILENT, keep=False)
        opened = open_tasks.opened()
        assert opened is not None
        titles = [task.name if alone else f"{task.name}@{task.task_id}" for task in opened.tasks]
        assert [task.shown_name for task in opened.tasks] == titles
        assert len(set(titles)) == len(tasks)
    behind.close(5)


@pytest.mark.slow
def test_what_is_picked_by_hand_is_one_run_that_is_running_while_it_is_evaluated(
    tiny_model_folder: Path, tmp_path: Path
) -> None:
    store = tmp_path / "s.duckdb"
    behind = LiveRecorder(StoreRecorder(store), store, lambda: None)
    open_tasks = OpenTasks(behind)
    open_tasks.open(config_of(tiny_model_folder, limit=20), SILENT, keep=False)
    opened = open_tasks.opened()
    assert opened is not None
    (task,) = opened.tasks

    def state() -> str:
        behind.flush(60)
        (run,) = Results(store).runs().rows
        return run.state

    for removed in ((0,), (1,)):
        seen = [(scored.final, state()) for scored in open_tasks.evaluate(task.key, removed, SILENT)]
        assert seen[-1] == (True, "finished")
        assert seen[:-1] == [(False, "running")] * (len(seen) - 1)
        assert len(seen) > 1
        assert behind.writers() == ()
    left = open_tasks.evaluate(task.key, (2,), SILENT)
    next(left)
    assert state() == "running"
    left.close()  # type: ignore[attr-defined]
    assert state() == "stopped"
    assert [scored.final for scored in open_tasks.evaluate(task.key, (1,), SILENT)][-1]
    assert state() == "stopped", "what is stored needs no run"
    behind.close(5)
