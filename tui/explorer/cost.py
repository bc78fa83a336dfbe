"""Sentences on the cost of a run, before anything is evaluated: coalitions x documents."""

from __future__ import annotations

from core.config.limit import documents_in
from core.config.run_config import RunConfig
from core.evaluator.protocol import Opened
from core.statistics.sequential import BURN_IN
from core.study.plan import most_coalitions, schedules_of
from core.study.writing_cost import writing_cost
from tui.drawing.numbers import whole
from tui.drawing.plain import plain


def cost_of(config: RunConfig, opened: Opened) -> str:
    """Return two lines, or three where the model writes. They begin with the largest possible cost, without the store.

    Args:
        config: the run, on the tasks that are open.
        opened: says which players and how many documents there are.

    Raises:
        CornerstoneError: a schedule is not possible for this number of players.
    """
    schedules = schedules_of(config, opened.model.players)
    coalitions = most_coalitions(schedules)
    counts = [documents_in(config.limit, task.size) for task in opened.tasks]
    answers = [task.most_new for task in opened.tasks]
    written = writing_cost(zip(counts, answers, strict=True), coalitions)
    most = "at most " if any(schedule.in_rounds for schedule in schedules) else ""
    each = " or ".join(map(whole, dict.fromkeys(counts)))
    outcomes = (
        f"{most}{whole(coalitions)} coalitions x {each} documents x "
        f"{', '.join(plain(task.name) for task in config.tasks)}: {whole(coalitions * sum(counts))} outcomes"
    )
    return ";\n".join(filter(None, (outcomes, written, _less(config))))


def _less(config: RunConfig) -> str:
    """Return the reason why the run may cost less."""
    stored = "what is stored already is not evaluated again"
    if config.until_top is None:
        return stored
    return f"{stored}, and a task ends once its top {config.until_top} is decided (not before {BURN_IN} documents)"
