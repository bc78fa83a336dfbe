"""An opened workbench names the runs of other processes that write to its store."""

from __future__ import annotations

import json
from pathlib import Path

from core.evaluator.live_recorder import LiveRecorder
from core.evaluator.open_tasks import OpenTasks
from core.machine.process import here
from core.records.records import RunRecord, Writer
from core.study.listener import SILENT
from store.recorder import StoreRecorder
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
