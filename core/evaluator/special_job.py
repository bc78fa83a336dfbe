"""Jobs that are no study: the search of a removal path, and the measurement of proxies. What they find is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from core.coalitions.grouping import grouping
from core.config.run_config import RunConfig
from core.errors import IncompleteError
from core.evaluator.jobs import Job
from core.evaluator.patient_recorder import PatientRecorder
from core.evaluator.protocol import Event, MemoryWasShort, Narration
from core.findings.files import keep
from core.findings.finding import PathFinding, ProxyFinding
from core.proxies.request import MeasureProxies
from core.proxies.study import proxies_by_task
from core.records.records import Recorder
from core.removal_path.request import PathRequest
from core.removal_path.rows import PathRow
from core.removal_path.study import find_path, task_ids
from core.study.events import MemoryShort, StudyEvent
from core.study.workbench import Crewing, Workbench
from core.study.worker_view import WorkerView


@dataclass(slots=True)
class SpecialListener:
    """Follows a special job: passes on its progress, and what it says of slow work.

    Attributes:
        job: counts what is done.
        on_batch: called between two batches; it may end the job.
        on_charts: called after each event, as new outcomes may change the charts.
        publish: sends an event to every explorer.
        on_rows: takes the rows of each step of a path.
        tell_workers: takes what each worker does.
    """

    job: Job
    on_batch: Callable[[float], None]
    on_charts: Callable[[], None]
    publish: Callable[[Event], None]
    on_rows: Callable[[Sequence[PathRow]], None] = field(default=lambda _rows: None)
    tell_workers: Callable[[Sequence[WorkerView]], None] = field(default=lambda _workers: None)

    def narrate(self, text: str) -> None:
        """Tell every explorer."""
        self.publish(Narration(text=text))

    def on_bytes(self, what: str, done: int, total: int) -> None:
        """Ignore it: the model is loaded already."""

    def on_workers(self, workers: Sequence[WorkerView]) -> None:
        """Pass on what each worker does."""
        self.tell_workers(workers)

    def on_event(self, event: StudyEvent) -> None:
        """Count what a step of a path has evaluated."""
        self.job.follow(event)
        if isinstance(event, MemoryShort):
            self.publish(MemoryWasShort())
        self.on_charts()

    def on_step(self, rows: Sequence[PathRow]) -> None:
        """Take the rows of a step."""
        self.on_rows(rows)


def do_special(
    job: Job, bench: Workbench, recorder: Recorder, store: Path, listener: SpecialListener, crewing: Crewing
) -> None:
    """Do the special work of a job on the open model and tasks, and keep what it finds for ``store``.

    It is done by the workers that ``crewing`` hires, where the job asks for some.

    Raises:
        CornerstoneError: something asked for is wrong or cannot be had, or a finding cannot be written.
    """
    recorder = PatientRecorder(recorder, lambda: listener.on_batch(0.0))
    match job.special:
        case PathRequest():
            _search_path(job, job.special, bench, recorder, store, listener, crewing)
        case MeasureProxies(value=value):
            _measure_proxies(job, value, bench, recorder, store, listener, crewing)


def _search_path(
    job: Job,
    request: PathRequest,
    bench: Workbench,
    recorder: Recorder,
    store: Path,
    listener: SpecialListener,
    crewing: Crewing,
) -> None:
    request.refuse_nonsense()
    units = len(grouping(request.players, bench.model.players).units)
    job.begin(_most_outcomes(job.config, bench, request, units))
    tasks = task_ids(bench)
    rows: list[PathRow] = []

    def finding(found: Sequence[PathRow], *, complete: bool) -> PathFinding:
        return PathFinding(made=datetime.now(UTC), request=request, tasks=tasks, complete=complete, rows=tuple(found))

    def on_rows(new: Sequence[PathRow]) -> None:
        rows.extend(new)
        keep(store, finding(rows, complete=False))

    listener.on_rows = on_rows
    found = find_path(job.config, request, job.command, recorder, listener, bench, crewing)
    keep(store, finding(found.rows, complete=True))
    job.total = job.before  # what was held out is known only now


def _most_outcomes(config: RunConfig, bench: Workbench, request: PathRequest, units: int) -> int:
    """Return how many outcomes a path needs, if as many documents are held out as choose it."""
    steps = min(request.steps, units)
    tried = 1 + sum(units - step for step in range(steps))
    held_out = steps + 1 if request.held_out and config.limit is not None else 0
    return sum(_documents(config, bench)) * (tried + held_out)


def _documents(config: RunConfig, bench: Workbench) -> list[int]:
    """Return how many documents of each open task a configuration takes; more of them may be open."""
    return [len(task.first(config.limit).documents) for task in bench.tasks]


def _measure_proxies(
    job: Job,
    value: str | None,
    bench: Workbench,
    recorder: Recorder,
    store: Path,
    listener: SpecialListener,
    crewing: Crewing,
) -> None:
    documents = _documents(job.config, bench)
    job.begin(sum(documents))
    job.phase = f"proxies on {bench.tasks[0].record.name}"
    skipped: list[str] = []
    with closing(proxies_by_task(bench, job.config, value, recorder, listener, crewing)) as found:
        for at, each in enumerate(found, start=1):
            job.meter.reach(sum(documents[:at]))
            keep(
                store,
                ProxyFinding(made=datetime.now(UTC), rows=each.proxies, correlations=each.correlations, gaps=each.gaps),
            )
            skipped += [each.skipped] if each.skipped is not None else []
            if at < len(bench.tasks):
                job.phase = f"proxies on {bench.tasks[at].record.name}"
    if skipped:
        raise IncompleteError("; ".join(skipped))
