"""Progress lines, by a clock that stands still until told."""

from __future__ import annotations

from dataclasses import replace

from core.estimators.permutation import Permutation
from core.estimators.question import Question
from core.study.events import (
    ChunkRecorded,
    MemoryShort,
    Phase,
    PhaseFinished,
    PhaseStarted,
    TopLooked,
    TopVerdict,
)
from tests.support.store_records import data, model, task
from tui.commands.document_progress import DocumentProgress
from tui.commands.progress import LineProgress


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_line_now_and_then_counts_the_chunk_in_flight() -> None:
    said: list[str] = []
    clock = Clock()
    phase = Phase("run1", model(), task(), data(), "ablation", 100, 7)
    progress = LineProgress(said.append, clock=clock)
    progress.show(PhaseStarted(phase, 100))
    clock.now = 9.0
    progress.advance(80.0)
    clock.now = 10.0
    progress.advance(100.0)
    clock.now = 11.0
    progress.advance(110.0)
    clock.now = 20.0
    progress.show(ChunkRecorded(phase, 300))
    clock.now = 40.0
    progress.show(ChunkRecorded(phase, 700))
    progress.show(PhaseFinished(phase))
    assert said == [
        "ablation on capitals: 100 documents under 7 coalitions, 700 outcomes, 100 already stored",
        "ablation on capitals: 200 of 700 outcomes  10/s  00:51 left",
        "ablation on capitals: 300 of 700 outcomes  10/s  00:41 left",
        "ablation on capitals: done",
    ]


def test_one_is_written_in_the_singular() -> None:
    said: list[str] = []
    LineProgress(said.append).show(PhaseStarted(Phase("run1", model(), task(), data(), "ablation", 1, 1), 0))
    assert said == ["ablation on capitals: 1 document under 1 coalition, 1 outcome"]


def test_what_may_end_early_says_at_most() -> None:
    said: list[str] = []
    clock = Clock()
    walks = Phase("run1", model(), task(), data(), "permutation", 100, 7, Question(Permutation()))
    progress = LineProgress(said.append, clock=clock)
    progress.show(PhaseStarted(walks, 0))
    clock.now = 10.0
    progress.advance(100.0)
    assert said == [
        "permutation on capitals: 100 documents under at most 7 coalitions, 700 outcomes",
        "permutation on capitals: 100 of at most 700 outcomes  10/s  at most 01:01 left",
    ]


def test_what_a_study_finds_is_worded_for_the_command_line() -> None:
    said: list[str] = []
    phase = Phase("run1", model(), task(), data(), "windows", 10, 4)
    progress = LineProgress(said.append)
    progress.show(MemoryShort(phase, 1024))
    decided = TopVerdict("windows", "capitals", 1, 0.95, 3, 10, 100, ("a",), (), 1, 0)
    progress.show(TopLooked(phase, replace(decided, inside=(), undecided=("a", "b"), out=0, final=False)))
    progress.show(TopLooked(phase, decided))
    assert said == [
        "memory was short; the sweep goes on in smaller chunks (--memory GIB sets how much it may take)",
        "windows on capitals: top 1 decided at 95%: a, after 3 of 10 documents",
    ]


def test_of_documents_a_line_every_ten_seconds_tells_how_many_and_what_workers_do() -> None:
    said: list[str] = []
    clock = Clock()
    progress = DocumentProgress(said.append, clock)
    for at, done in ((9.0, 5.0), (10.0, 1200.0), (15.0, 1300.0)):
        clock.now = at
        progress.advance(done)
    progress.show_crew("1 of 2 workers")
    clock.now = 20.0
    progress.advance(1400.0)
    assert said == ["1 200 documents measured", "1 400 documents measured, 1 of 2 workers"]
