"""Hire the workers of a job. While it has some, one of them evaluates what is toggled."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from core.config.run_config import RunConfig
from core.evaluator.open_tasks import OpenTasks
from core.study.listener import Listener
from core.study.workbench import Workbench
from core.workers.evaluator import CrewEvaluator
from core.workers.hired import with_workers


class Crewing:
    """Has the workers that a job asks for evaluate it. It is a ``Crewing`` of ``core.study.workbench``."""

    def __init__(self, open_tasks: OpenTasks) -> None:
        """Begin without workers; ``open_tasks`` are told of those that come."""
        self._open_tasks = open_tasks
        self._evaluator: CrewEvaluator | None = None
        self.needs_model = False
        """Whether a job has begun with a model, and perhaps waits for its workers: no other may be opened."""

    @contextmanager
    def __call__(self, bench: Workbench, config: RunConfig, listener: Listener) -> Iterator[Workbench]:
        """Yield a workbench with workers; itself if the job asks for none."""
        self.needs_model = True
        try:
            with with_workers(bench, config, listener) as crewed:
                if isinstance(crewed.crewed, CrewEvaluator):
                    self._evaluator = crewed.crewed
                    self._open_tasks.aside = self._evaluator.aside
                yield crewed
        finally:
            self._evaluator = self._open_tasks.aside = None
            self.needs_model = False

    @property
    def has_workers(self) -> bool:
        """Whether workers evaluate the job in hand, which goes on while this process does something else."""
        return self._evaluator is not None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the workers between two batches for the time of the block."""
        with nullcontext() if self._evaluator is None else self._evaluator.held():
            yield
