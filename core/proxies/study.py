"""Measure proxies on a real model and its tasks, and compare them with the stored values of the same documents."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from core.coalitions.grouping import grouping
from core.config.gap import Gap
from core.config.run_config import RunConfig
from core.errors import IncompleteError
from core.proxies.compare import Compared, correlation_rows, proxy_rows, targets_of
from core.proxies.measure import joined, of_documents, refuse_unmeasurable
from core.proxies.rows import CorrelationRow, ProxyRow
from core.records.fingerprint import short_id
from core.records.records import Assignment, Recorder
from core.study.evaluating import Skipped
from core.study.listener import Listener
from core.study.not_done import documents_text
from core.study.workbench import Crewing, Workbench, for_driver, open_workbench
from core.tasks.prepare import PreparedTask
from core.values.corpus import refuse_corpus_value
from core.values.of_task import resolve
from core.workers.hired import with_workers

_TARGETS = 3
"""Number of targets that sublayers are compared with where everything is stored."""


@dataclass(frozen=True, slots=True)
class OfTask:
    """Proxies of one task, their correlations with stored values, and the gaps: values that are not stored.

    ``skipped`` says which documents are left out, as their measurement failed again and again; None if none are. It is
    the first of the gaps too.
    """

    proxies: tuple[ProxyRow, ...]
    correlations: tuple[CorrelationRow, ...]
    gaps: tuple[Gap, ...]
    skipped: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """Proxies of every task, task by task or all together."""

    tasks: tuple[OfTask, ...]

    @property
    def proxies(self) -> tuple[ProxyRow, ...]:
        return tuple(row for each in self.tasks for row in each.proxies)

    @property
    def correlations(self) -> tuple[CorrelationRow, ...]:
        return tuple(row for each in self.tasks for row in each.correlations)

    @property
    def complete(self) -> bool:
        return all(each.skipped is None for each in self.tasks)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        return tuple(gap for each in self.tasks for gap in each.gaps)


def check_proxies(
    config: RunConfig,
    value: str | None,
    recorder: Recorder,
    listener: Listener,
    crewing: Crewing = with_workers,
    on_task: Callable[[OfTask], None] = lambda _found: None,
) -> Checked:
    """Run the intact model over the documents of ``config``, and compare with stored values; record nothing.

    Args:
        config: the model, tasks and documents.
        value: the value to compare with: a metric that is a mean, or a derived value; None for each task's own.
        recorder: has the stored values.
        listener: gets sentences on slow work, and now and then how many documents of the task are done.
        crewing: hires the workers that the configuration asks for.
        on_task: gets what was found of each task as soon as it is there.

    Raises:
        CornerstoneError: something asked for is wrong or cannot be had.
    """
    bench = open_workbench(for_driver(config), listener)
    tasks = []
    with closing(proxies_by_task(bench, config, value, recorder, listener, crewing)) as found:
        for each in found:
            on_task(each)
            tasks.append(each)
    return Checked(tuple(tasks))


def proxies_by_task(
    bench: Workbench, config: RunConfig, value: str | None, recorder: Recorder, listener: Listener, crewing: Crewing
) -> Generator[OfTask, None, None]:
    """Yield the proxies of each task of an open workbench, which may have more documents than ``config`` takes.

    Workers end with the iterator. The other arguments are those of ``check_proxies``.

    Raises:
        CornerstoneError: a task does not have the value, or proxies of this model cannot be measured.
    """
    refuse_unmeasurable(bench.model.layout)
    tasks = [task.first(config.limit) for task in bench.tasks]
    values = [resolve(task.record, task.document_records, value) for task in tasks]
    for own in values:
        refuse_corpus_value(own, "a comparison with proxies")
    with crewing(bench, config, listener) as crewed:
        yield from _each(crewed, config, tasks, values, recorder, listener)


def _each(
    bench: Workbench,
    config: RunConfig,
    tasks: Sequence[PreparedTask],
    values: Sequence[str],
    recorder: Recorder,
    listener: Listener,
) -> Iterator[OfTask]:
    """Yield the proxies of each task, compared by its value."""
    sublayers, layers = (grouping(name, bench.model.players) for name in ("sublayers", "layers"))
    for asked, every, own in zip(bench.expanded.config.tasks, tasks, values, strict=True):
        listener.narrate(f"the intact model on {len(every.documents)} documents of {every.record.name}")
        measured = bench.measured(every, of_documents, listener.on_batch)
        skipped = _skipped_text(every, measured.skipped) if measured.skipped else None
        if not measured.documents:
            raise IncompleteError(skipped or "there is nothing to measure")
        gaps = [] if skipped is None else [Gap(skipped)]
        task = replace(every, documents=measured.documents)
        found = joined(measured.found)
        of = _compared(bench, task, own, recorder)
        if len(targets_of(of.scores, sublayers)) < _TARGETS:
            fill = config.model_copy(update={"tasks": (asked,), "schedule": ("windows",), "store": None})
            gaps.append(Gap(f"{task.record.name}: not every drop and window of these documents is stored", fill))
        yield OfTask(
            tuple(row for units in (sublayers, layers) for row in proxy_rows(found, units, of)),
            tuple(row for units in (sublayers, layers) for row in correlation_rows(found, units, of)),
            tuple(gaps),
            skipped,
        )


def _skipped_text(task: PreparedTask, skipped: Sequence[Skipped]) -> str:
    """Say which documents were not measured, and why."""
    which = documents_text(task.record.name, [each.doc_id for chunk in skipped for each in chunk.documents])
    why = "; ".join(dict.fromkeys(chunk.why for chunk in skipped))
    return f"incomplete, {which}: every attempt to measure them failed ({why})"


def _compared(bench: Workbench, task: PreparedTask, value: str, recorder: Recorder) -> Compared:
    record = bench.model.record
    stored = recorder.values(Assignment.of(record, task), value)
    return Compared(
        model=record.name,
        task=task.record.name,
        model_id=short_id(record.fingerprint),
        task_id=short_id(task.record.fingerprint, task.data.fingerprint),
        value=value,
        scores=stored.aligned([document.key for document in task.document_records]).by_removed,
    )
