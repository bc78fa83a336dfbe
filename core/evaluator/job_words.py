"""Say in words what a job does."""

from __future__ import annotations

from core.coalitions.grouping import SUBLAYERS
from core.config.run_config import RunConfig
from core.evaluator.protocol import Special
from core.removal_path.request import PathRequest


def work_text(config: RunConfig, special: Special | None) -> str:
    """Return what a job evaluates or searches, without its tasks."""
    if isinstance(special, PathRequest):
        over = "" if special.players == SUBLAYERS else f" over {special.players}"
        return f"removal path of {special.steps}{over}"
    if special is not None:
        return "proxies"
    what = " and ".join(config.schedules) or "hand-picked sets"
    if config.schedules and config.players != SUBLAYERS:
        what += f" over {config.players}"
    return what
