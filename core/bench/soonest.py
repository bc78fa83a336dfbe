"""How soon the first layers are known for certain, start-up included, against a loop over lm-eval on all documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.bench.report import Answer
from core.coalitions.players import Removed
from core.estimators.question import Question
from core.estimators.windows import WindowFirst
from core.records.records import Outcome
from core.statistics.intervals import CONFIDENCE
from core.statistics.verdicts import TOP, Verdicts
from core.study.plan import Until
from core.study.running_estimate import RunningEstimate
from core.study.workbench import Workbench
from core.tasks.prepare import PreparedTask
from core.values.of_task import usable_values

VALUE: Final = "gold_logprob_norm"
FIRST: Final = TOP - 1
"""How many layers must be certain. The last place is not waited for: it is often a near tie."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The keys of the documents that a sweep had done after some seconds."""

    documents: frozenset[str]
    seconds: float


def answer(
    bench: Workbench,
    task: PreparedTask,
    windows: WindowFirst,
    outcomes: Mapping[tuple[str, Removed], Outcome],
    reached: Sequence[Reached],
    *,
    ready: float,
    lm_eval_seconds: float,
) -> Answer | None:
    """Return the first layers of a sweep that were known for certain, and how soon.

    None if too few were, if the documents are not in random order, or if the task lacks the value.

    Args:
        bench: the model.
        task: the task.
        windows: the windows of the sweep.
        outcomes: the outcomes of the sweep.
        reached: how far it was, chunk by chunk.
        ready: the seconds from the program's start to the sweep's.
        lm_eval_seconds: the seconds that a loop over lm-eval takes for all documents of the task.
    """
    documents = task.document_records
    if bench.config.order != "shuffled" or VALUE not in usable_values(task.record, documents):
        return None
    game = Question(windows).of(bench.model.players)
    if game.units <= TOP:
        return None
    running = RunningEstimate(task.record, documents, game, VALUE, Until(TOP, CONFIDENCE))
    done: frozenset[str] = frozenset()
    for each in reached:
        new, done = each.documents - done, each.documents
        running.add([outcome for (key, _), outcome in outcomes.items() if key in new])
        running.look()
        found = running.verdicts
        if isinstance(found, Verdicts) and len(found.units("in")) >= FIRST:
            labels = tuple(game.grouping.labels[unit] for unit in found.units("in"))
            seconds = ready + each.seconds
            return Answer(
                value=VALUE,
                inside=labels,
                out=len(found.units("out")),
                documents=len(done),
                seconds=seconds,
                lm_eval_seconds=lm_eval_seconds,
                speedup=lm_eval_seconds / seconds,
            )
    return None
