from __future__ import annotations

from typing import Any

import pytest

from tests.support import example_state as example
from tui.explorer.first_shares import first_shares

NAMES = ("agreement", "capitals", "opposites")


def said(at: int, *schedules: str, tasks: int = 3, limit: int | None = None, **changes: Any) -> str:
    names = NAMES[:tasks]
    opened = example.opened()
    config = opened.config.model_validate({"tasks": names, "schedule": schedules or ["windows"], "limit": limit})
    opened = opened.model_copy(update={"tasks": tuple(map(example.bench_task, names)), "config": config})
    fields = {"done": 0.0, "rate": 10.0, "config": config.model_dump(), "total": 100_000, **changes}
    return first_shares(example.job(**fields), opened, names[at])


def test_tasks_get_their_first_shares_in_turn() -> None:
    # 235 windows x 2 documents, 10 a second.
    assert said(0) == "first shares in about 00:45"
    assert said(1) == "first shares in about 01:35"
    assert said(2) == "first shares in about 02:20"
    assert said(0, done=400.0) == "first shares in about 00:05"


def test_schedules_before_are_evaluated_first() -> None:
    assert said(0, "ablation", "windows", tasks=1, rate=100.0) == "first shares in about 01:20"
    # Of the documents of the job, where more are open.
    assert said(0, "ablation", "windows", tasks=1, rate=100.0, limit=12) == "first shares in about 00:10"


@pytest.mark.parametrize(
    "changes", [{"rate": 0.0}, {"done": 5000.0}, {"state": "paused"}, {"state": "queued"}, {"total": 0}]
)
def test_nothing_is_said_where_nothing_is_known(changes: dict[str, Any]) -> None:
    assert said(0, **changes) == ""


def test_schedules_without_shares_say_so() -> None:
    assert "r runs the windows" in said(0, "ablation")
    assert said(0, "permutation") == "", "it asks in rounds, so nobody knows"


def test_without_a_job_nothing_is_said() -> None:
    assert first_shares(None, example.opened(), "agreement") == ""
    assert first_shares(example.job(), None, "agreement") == ""
    assert first_shares(example.job(), example.opened(), "another") == ""
