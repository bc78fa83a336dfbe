"""Sentences on the cost of a run, before anything is evaluated: coalitions x documents."""

from __future__ import annotations

from core.config.limit import documents_in
from core.config.run_config import RunConfig
from core.evaluator.protocol import Opened
from core.statistics.sequential import BURN_IN
from core.study.plan import schedules_of
from tui.drawing.numbers import whole
from tui.drawing.plain import plain


def cost_of(config: RunConfig, opened: Opened) -> str:
    """Return two lines. The first is the largest possible cost, because the store is not consulted.

    Args:
        config: the run, on the tasks that are open.
        opened: says which players and how many documents there are.

    Raises:
        CornerstoneError: a schedule is not possible for this number of players.
    """
    schedules = schedules_of(config, opened.model.players)
    listed = {removed for schedule in schedules for removed in schedule.coalitions}
    coalitions = len(listed) + sum(schedule.most for schedule in schedules)
    counts = [documents_in(config.limit, task.size) for task in opened.tasks]
    most = "at most " if any(schedule.in_rounds for schedule in schedules) else ""
    each = " or ".join(map(whole, dict.fromkeys(counts)))
    return (
        f"{most}{whole(coalitions)} coalitions x {each} documents x "
        f"{', '.join(plain(task.name) for task in config.tasks)}: {whole(coalitions * sum(counts))} outcomes;\n"
        f"{_less(config)}"
    )


def _less(config: RunConfig) -> str:
    """Return the reason why the run may cost less."""
    stored = "what is stored already is not evaluated again"
    if config.until_top is None:
        return stored
    return f"{stored}, and a task ends once its top {config.until_top} is decided (not before {BURN_IN} documents)"
