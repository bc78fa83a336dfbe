"""When the first Shapley shares of a task come, from the rate of the job that sweeps."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from core.coalitions.players import Player
from core.config.limit import documents_in
from core.config.run_config import RunConfig
from core.errors import CornerstoneError
from core.evaluator.protocol import JobView, Opened
from core.study.first_chunks import first_documents
from core.study.plan import schedules_of
from tui.drawing.numbers import clock

_ROUGH_S: Final = 5
"""Longer times are told in steps of so many seconds."""


def first_shares(job: JobView | None, opened: Opened | None, task: str | None) -> str:
    """Return when a running job has the first shares of a task; empty if that is not known.

    Args:
        job: the current job.
        opened: the open model and tasks.
        task: the key of the task.
    """
    if job is None or opened is None or job.state != "running" or job.rate <= 0 or not job.total:
        return ""
    keys = [one.key for one in opened.tasks]
    if job.config.tasks != opened.config.tasks or task not in keys:
        return ""
    documents = tuple(documents_in(job.config.limit, one.size) for one in opened.tasks[: keys.index(task) + 1])
    wanted = _outcomes_before(job.config.model_dump_json(), opened.model.players, documents, len(keys))
    if wanted is None:
        return "what runs has no shares: r runs the windows"
    left = (wanted - job.done) / job.rate
    if left <= 0:
        return ""
    return f"first shares in about {clock(max(round(left / _ROUGH_S), 1) * _ROUGH_S)}"


@lru_cache(maxsize=4)
def _outcomes_before(config: str, players: tuple[Player, ...], documents: tuple[int, ...], tasks: int) -> int | None:
    """Return how many outcomes are evaluated until a task has shares: 0 if that is not known, None if it never has.

    Args:
        config: the configuration that runs, as JSON.
        players: all players of the model.
        documents: the numbers of documents of the tasks up to this one.
        tasks: the number of all tasks.
    """
    outcomes = 0
    try:
        schedules = schedules_of(RunConfig.model_validate_json(config), players)
    except CornerstoneError:
        return None
    for schedule in schedules:
        if schedule.game is not None and schedule.game.estimator.shapley:
            first = first_documents(schedule.size)
            taken = sum(min(first, count) for count in documents)
            return 0 if schedule.in_rounds else outcomes + schedule.size * taken
        outcomes += schedule.size * tasks * max(documents)
    return None
