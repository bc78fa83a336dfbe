"""What a run costs in words, the same before it starts on the command line and in the explorer's dialog."""

from __future__ import annotations

from typing import Final

from core.config.run_config import RunConfig
from core.cost.run_cost import RunCost
from core.cost.run_time import Basis, RunTime
from core.machine.byte_count import in_bytes
from core.study.writing_cost import writing_cost
from tui.drawing.numbers import span, whole
from tui.drawing.plain import counted, plain

STORED: Final = "what is stored already is not evaluated again"

_HOW: Final[dict[Basis, str]] = {
    "measured": "as measured here",
    "operations": "by its operations at the speed that a plan measured here",
    "alike": "as measured here with other tasks or schedules",
}


def counts_text(config: RunConfig, cost: RunCost) -> str:
    """Return how many coalitions, documents and outcomes a run has at most, and what they take, as far as known."""
    counts = list(dict.fromkeys(task.documents for task in cost.tasks))
    documents = " or ".join([*map(whole, counts[:-1]), counted(counts[-1], "document")])
    stored = "" if cost.store_bytes is None else f", {in_bytes(cost.store_bytes)} more in the store"
    memory = "" if cost.memory_bytes is None else f", about {in_bytes(cost.memory_bytes)} of memory"
    return (
        f"{'at most ' if cost.in_rounds else ''}{counted(cost.coalitions, 'coalition')} x {documents} x "
        f"{', '.join(plain(task.name) for task in config.tasks)}: {counted(cost.outcomes, 'outcome')}{stored}{memory}"
    )


def written_text(cost: RunCost) -> str | None:
    """Return how many tokens the model may write; None if it writes none."""
    return writing_cost([(task.documents, task.most_new) for task in cost.tasks], cost.coalitions)


def time_text(cost: RunCost) -> str | None:
    """Return how long it takes; None where that is not known."""
    time: RunTime | None = cost.time
    if time is None:
        return None
    at_most = "at most " if cost.in_rounds or cost.ends_early else ""
    about = "roughly" if time.basis == "alike" else "about"
    rate = f"{time.per_second:.1f}" if time.per_second < 10 else whole(time.per_second)
    return f"{at_most}{about} {span(time.seconds)}, at {rate} outcomes a second {_HOW[time.basis]}"


def less_text(config: RunConfig) -> str:
    """Return the reason why a run may cost less."""
    if not config.decides:
        return STORED
    end = "all are" if config.until_top is None else f"its top {config.until_top} is decided"
    return f"{STORED}, a unit that is decided costs no more, and a task ends once {end}"
