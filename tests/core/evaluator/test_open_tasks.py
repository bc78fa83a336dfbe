"""What is told of a workbench when it is opened: who else writes to the store that its charts were read from."""

from __future__ import annotations

import json
from pathlib import Path

from core.evaluator.open_tasks import Desk
from core.evaluator.write_behind import Keeper
from core.machine.process import here
from core.records.records import RunRecord, Writer
from store.recorder import StoreRecorder
from tests.support.evaluator_process import config_of


def test_a_run_of_another_process_is_told_until_it_has_ended(tiny_model_folder: Path, tmp_path: Path) -> None:
    recorder = StoreRecorder(tmp_path / "s.duckdb")
    keeper = Keeper(recorder, lambda: None)
    desk = Desk(keeper)

    def writers() -> tuple[Writer, ...]:
        desk.open(config_of(tiny_model_folder), print, lambda: None, keep=False)
        opened = desk.opened()
        assert opened is not None
        return opened.writers

    assert writers() == ()
    processes = {"own": here(), "away": {**here(), "host": "another machine"}, "gone": {**here(), "began": "0"}}
    for run_id, process in processes.items():
        recorder.begin(RunRecord(run_id, "cornerstone run quickstart", "{}", json.dumps(process), 0))
    assert writers() == (Writer("away", "cornerstone run quickstart"),)
    recorder.finish("away", "finished")
    assert writers() == ()
    assert keeper.close(5) == 0
