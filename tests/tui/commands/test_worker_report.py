"""What a run says of its workers: little, and at its end what each has done."""

from __future__ import annotations

from core.study.events import ChunkRecorded, Phase, PhaseStarted, WorkersChanged
from core.study.worker_view import WorkerView
from tests.support.clock import Clock
from tests.support.store_records import data, model, task
from tui.commands.progress import LineProgress
from tui.commands.worker_report import WorkerReport


def test_it_is_said_now_and_then_until_one_evaluates_and_at_the_end_line_by_line() -> None:
    said: list[str] = []
    clock = Clock()
    report = WorkerReport(said.append, clock)
    starting = [WorkerView(1), WorkerView(2)]
    loading = [WorkerView(1, "loading", "north"), WorkerView(2)]
    ready = [WorkerView(1, "idle", "north"), WorkerView(2, "idle", "south")]
    working = [WorkerView(1, "evaluating", "north", 40, 8.0), WorkerView(2, "evaluating", "south", 50, 10.0)]
    for seconds, workers in ((0, starting), (4, loading), (8, loading), (9, loading), (30, ready), (50, working)):
        clock.now += seconds
        report.take(workers)
    assert said == ["0 of 2 workers, 1 loading, 1 starting", "2 workers"]
    del said[:]
    report.close()
    report.close()
    assert said == ["worker 1 on north: 8.0/s, 40 outcomes", "worker 2 on south: 10/s, 50 outcomes"]


def test_where_nothing_was_evaluated_no_worker_is_listed() -> None:
    said: list[str] = []
    report = WorkerReport(said.append)
    report.close()
    report.take([WorkerView(1)])
    report.close()
    assert said == []


def test_the_line_of_progress_has_the_workers_and_their_rates() -> None:
    said: list[str] = []
    clock = Clock()
    phase = Phase("run1", model(), task(), data(), "ablation", 100, 7)
    progress = LineProgress(said.append, clock=clock)
    progress.show(PhaseStarted(phase, 0))
    progress.show(WorkersChanged(phase, 2, 2))
    progress.show_crew("2 workers, 9 to 12/s each")
    clock.now += 10
    progress.show(ChunkRecorded(phase, 200))
    assert said[-1] == "ablation on capitals: 200 of 700 outcomes  20/s  00:26 left  2 workers, 9 to 12/s each"
