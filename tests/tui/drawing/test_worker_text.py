"""What workers do, in words."""

from __future__ import annotations

import pytest

from core.study.worker_view import WorkerView
from tui.drawing.worker_text import crew_text, worker_end, worker_line


@pytest.mark.parametrize(
    ("workers", "text"),
    [
        ([WorkerView(1), WorkerView(2, "loading", "north")], "0 of 2 workers, 1 starting, 1 loading"),
        ([WorkerView(1, "idle", "north")], "1 worker"),
        ([WorkerView(1, "evaluating", "north", 5, 12.4), WorkerView(2, "refused")], "1 of 2 workers, 12/s, 1 refused"),
        (
            [WorkerView(1, "evaluating", "a", 5, 9.44), WorkerView(2, "idle", "b", 3, 12.0)],
            "2 workers, 9.4 to 12/s each",
        ),
        ([WorkerView(1, "evaluating", "a", 5, 12.1), WorkerView(2, "idle", "b", 3, 12.0)], "2 workers, 12/s each"),
    ],
)
def test_a_crew_in_a_few_words(workers: list[WorkerView], text: str) -> None:
    assert crew_text(workers) == text


@pytest.mark.parametrize(
    ("worker", "line", "end"),
    [
        (WorkerView(1), "worker 1: starting", "worker 1: nothing evaluated"),
        (
            WorkerView(2, "evaluating", "no\x1brth", 1234, 0.044, 1),
            "worker 2 on no rth: evaluating, .04/s, 1 234 outcomes, lost once and replaced",
            "worker 2 on no rth: .04/s, 1 234 outcomes, lost once and replaced",
        ),
        (WorkerView(3, "lost", "", 0, 0.0, 3), "worker 3: lost", "worker 3: lost, nothing evaluated"),
        (
            WorkerView(4, "refused", "south"),
            "worker 4 on south: refused",
            "worker 4 on south: refused, nothing evaluated",
        ),
    ],
)
def test_a_worker_in_a_line_while_it_works_and_afterwards(worker: WorkerView, line: str, end: str) -> None:
    assert (worker_line(worker), worker_end(worker)) == (line, end)
