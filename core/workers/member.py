"""A worker: it opens the model and the tasks of a run, and evaluates or measures the chunks that it is sent.

It runs in a process of its own. Light to import: torch is loaded when the model is opened.
"""

from __future__ import annotations

import os
import platform
from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import CornerstoneError
from core.machine.fault_log import fault_sentence
from core.workers.messages import Done, Dropped, Failed, Opened, Progress, Refused, TaskId, Work
from core.workers.turns import Turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from core.engine.sweep import OnBatch
    from core.engine.sweep_sizes import SweepSizes
    from core.records.records import Outcome
    from core.study.chunks import ChunkEvaluator
    from core.study.workbench import Workbench
    from core.tasks.prepare import Document, PreparedTask


class _NotWantedError(Exception):
    """The chunk in hand is not wanted any more."""


class Member:
    """One worker. The other methods than ``open`` may be called while it evaluates a chunk."""

    def __init__(self, config: str, threads: int | None) -> None:
        """Remember what to open.

        Args:
            config: the run, as JSON.
            threads: how many threads it computes with on a CPU; None for as many as its machine has cores.
        """
        self._config = config
        self._threads = threads
        self._bench: Workbench | None = None
        self._evaluator: ChunkEvaluator | None = None
        self._tasks: dict[TaskId, tuple[PreparedTask, dict[str, Document]]] = {}
        self._part = 0.0
        self._dropped: set[int] = set()
        self._turns = Turns()

    def open(self) -> Opened | Refused | Failed:
        """Load the model and the tasks."""
        try:
            return self._opened()
        except CornerstoneError as error:
            return Refused(str(error), error.mend, platform.node())
        except Exception as error:  # noqa: BLE001 the driver tells it
            return Failed(fault_sentence(error), platform.node())

    def evaluate(self, work: Work) -> Done | Refused | Failed | Dropped:
        """Evaluate a chunk, or measure its documents."""

        def on_batch(done: float) -> None:
            self._part = done
            self._turns.between_batches()

        self._part = 0.0
        with self._turns.of_chunk():
            return self._answer(work, self._own, on_batch)

    def aside(self, work: Work) -> Done | Refused | Failed | Dropped:
        """Evaluate a chunk between two batches of the chunk in hand, in another thread."""
        with self._turns.of_aside():
            return self._answer(work, self._another, lambda _done: None)

    def hold(self, held: bool) -> None:
        """Hold the chunk in hand between two batches, or have it go on. What comes aside is evaluated meanwhile."""
        self._turns.hold(held)

    def _own(self) -> ChunkEvaluator:
        assert self._evaluator is not None, "it was not opened"
        return self._evaluator

    def _another(self) -> ChunkEvaluator:
        assert self._bench is not None, "it was not opened"
        return self._bench.alone()

    def _answer(
        self, work: Work, evaluator: Callable[[], ChunkEvaluator], on_batch: OnBatch
    ) -> Done | Refused | Failed | Dropped:
        try:
            return self._evaluated(work, evaluator(), on_batch)
        except _NotWantedError:
            return Dropped()
        except CornerstoneError as error:
            return Refused(str(error), error.mend, platform.node())
        except Exception as error:  # noqa: BLE001 the driver tries it elsewhere, and tells it
            return Failed(fault_sentence(error), platform.node())
        finally:
            self._dropped.discard(work.number)

    def progress(self) -> Progress:
        """Return how much of the chunk in hand is done. It may be asked while the model is loaded."""
        return Progress(self._part, platform.node())

    def drop(self, number: int) -> None:
        """End the evaluation of a chunk, between two batches."""
        self._dropped.add(number)

    def _opened(self) -> Opened:
        from core.config.run_config import RunConfig
        from core.machine.allocator import keep_freed_memory

        config = RunConfig.model_validate_json(self._config)
        if config.offline:  # the hub's libraries read it when they are loaded
            os.environ |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
        keep_freed_memory()

        from core.study.workbench import open_workbench
        from core.workers.documents import documents_digest, task_id

        self._take_threads()
        self._bench = bench = open_workbench(config)
        self._evaluator = bench.alone()
        self._tasks = {
            task_id(task): (task, {document.record.key: document for document in task.documents})
            for task in bench.tasks
        }
        return Opened(
            host=platform.node(),
            process=os.getpid(),
            device=bench.device,
            model=bench.model.record.fingerprint,
            documents={task_id(task): documents_digest(task) for task in bench.tasks},
            sizes=self._evaluator.sizes,
        )

    def _take_threads(self) -> None:
        """Compute with the threads that this worker has; each thread of a process is told so by itself."""
        import torch

        if self._threads is not None and torch.get_num_threads() != self._threads:
            torch.set_num_threads(self._threads)

    def _evaluated(self, work: Work, evaluator: ChunkEvaluator, on_batch: OnBatch) -> Done:
        self._take_threads()
        task, documents = self._tasks[work.task]
        chunk = replace(task, documents=tuple(documents[key] for key in work.documents))
        outcomes: list[Outcome] = []
        smaller: SweepSizes | None = None

        def between(done: float) -> None:
            on_batch(len(outcomes) + done)
            if work.number in self._dropped:
                raise _NotWantedError

        if work.measure is not None:
            assert self._bench is not None, "it was not opened"
            return Done(self._bench.measured(chunk, work.measure, between).found)
        for found in evaluator.missing(chunk, work.coalitions, {}, between):
            if isinstance(found, list):
                outcomes += found
            else:
                smaller = found
        return Done(outcomes, smaller)
