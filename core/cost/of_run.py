"""Tell what a run costs before it evaluates anything, and keep how fast it was for the next one."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing

from core.config.run_config import RunConfig
from core.cost.of_bench import open_work
from core.cost.phase_progress import PhaseProgress
from core.cost.rates import MeasuredRates
from core.cost.run_cost import RunCost, run_cost
from core.cost.run_time import Known, TaskAsked
from core.records.fingerprint import short_id
from core.study.events import ChunkRecorded, PhaseFinished, PhaseStarted, StudyEvent
from core.study.listener import Listener
from core.study.plan import Schedule
from core.study.workbench import Workbench


class OfRun:
    """The cost of one run. Of a run with workers no rates are read or kept: they depend on how many there are."""

    def __init__(self, config: RunConfig, tell: Callable[[RunCost, Listener], None]) -> None:
        """Wait for a run; ``tell`` tells its listener what it costs."""
        self._config = config
        self._tell = tell
        self._rates: MeasuredRates | None = None

    def begin(self, bench: Workbench, schedules: Sequence[Schedule], listener: Listener) -> None:
        """Tell what the run of these schedules on a workbench costs."""
        if bench.crewed is None:
            self._rates = MeasuredRates(bench.model.record.fingerprint, bench.device)
        tasks = [
            TaskAsked(short_id(task.record.fingerprint, task.data.fingerprint), len(task.documents), task.most_new)
            for task in bench.tasks
        ]
        known = Known(() if self._rates is None else self._rates.rates, open_work(bench))
        self._tell(run_cost(self._config, schedules, tasks, known), listener)

    def timed(self, events: Generator[StudyEvent, None, None]) -> Generator[StudyEvent, None, None]:
        """Yield the events of the run, and keep the rate of each phase, also of one that is stopped."""
        phase: PhaseProgress | None = None
        marked = 0.0
        with closing(events):
            try:
                for event in events:
                    now = time.monotonic()
                    match event:
                        case PhaseStarted(started, stored):
                            phase, marked = PhaseProgress(started, 0, stored), now
                        case ChunkRecorded(_, done) if phase is not None:
                            phase.reach(done, now - marked)
                            marked = now
                        case PhaseFinished():
                            self._keep(phase)
                            phase = None
                        case _:
                            pass
                    yield event
            finally:
                self._keep(phase)

    def _keep(self, phase: PhaseProgress | None) -> None:
        rate = None if phase is None else phase.speed
        if rate is not None and self._rates is not None:
            self._rates.take(rate)
