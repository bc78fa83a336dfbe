"""The baseline: a loop over lm-eval, one coalition at a time, with full forward passes."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

from core.coalitions.players import Removed
from core.engine.load import LoadedModel
from core.engine.removal import removed_from
from core.machine.quiet_libraries import quiet_libraries
from core.records.records import Outcome
from core.tasks.prepare import PreparedTask

BATCH_SIZES = (1, 2, 4, 8, 16, 32)


def outcomes_of(task: PreparedTask, removed: Removed, answers: Sequence[tuple[float, bool]]) -> list[Outcome]:
    """Return the outcome of each document of a task, from lm-eval's answers to all its requests in their order."""
    outcomes, start = [], 0
    for document in task.documents:
        end = start + len(document.instances)
        logprobs, greedy = zip(*answers[start:end], strict=True)
        outcomes.append(task.outcome(document, removed, list(logprobs), list(greedy)))
        start = end
    return outcomes


class LmEvalLoop:
    """lm-eval's own model class on the same documents, at its fastest batch size."""

    def __init__(self, model: LoadedModel, task: PreparedTask) -> None:
        self._model = model
        self._task = task
        self.batch_size = BATCH_SIZES[0]

    def tune(self) -> float:
        """Find the fastest batch size on the intact model; return its seconds. An extra first run warms up."""
        self._timed(())
        seconds = {}
        for size in BATCH_SIZES:
            self.batch_size = size
            seconds[size] = self._timed(())[0]
        self.batch_size = min(seconds, key=lambda size: seconds[size])
        return seconds[self.batch_size]

    def evaluate(self, removed: Removed) -> tuple[float, list[Outcome]]:
        """Evaluate one coalition; return the seconds, and the outcomes in the order of the documents."""
        seconds, answers = self._timed(removed)
        return seconds, outcomes_of(self._task, removed, answers)

    def _timed(self, removed: Removed) -> tuple[float, list[tuple[float, bool]]]:
        """Return the seconds and lm-eval's answers for all documents."""
        instances: Sequence[Instance] = [one for document in self._task.documents for one in document.instances]
        with quiet_libraries():
            lm = HFLM(pretrained=self._model.model, tokenizer=self._model.tokenizer, batch_size=self.batch_size)
        with removed_from(self._model.model, self._model.layout, removed), torch.inference_mode():
            start = time.perf_counter()
            answers = lm.loglikelihood(instances, disable_tqdm=True)
            return time.perf_counter() - start, answers
