"""Measure proxies on a real model and its tasks, and compare them with the stored values of the same documents."""

from __future__ import annotations

from dataclasses import dataclass

from core.coalitions.grouping import grouping
from core.config.gap import Gap
from core.config.run_config import RunConfig
from core.engine.packing import pack
from core.proxies.compare import Compared, correlation_rows, proxy_rows, targets_of
from core.proxies.measure import measure_proxies
from core.proxies.rows import CorrelationRow, ProxyRow
from core.records.fingerprint import short_id
from core.records.records import Assignment, Recorder
from core.study.listener import Listener
from core.study.workbench import Workbench, open_workbench
from core.tasks.prepare import PreparedTask
from core.values.of_task import resolve

_TARGETS = 3
"""Number of targets that sublayers are compared with where everything is stored."""


@dataclass(frozen=True, slots=True)
class Checked:
    """Proxies of every task, their correlations with stored values, and the gaps: values that are not stored."""

    proxies: tuple[ProxyRow, ...]
    correlations: tuple[CorrelationRow, ...]
    gaps: tuple[Gap, ...]


def check_proxies(config: RunConfig, value: str | None, recorder: Recorder, listener: Listener) -> Checked:
    """Run the intact model over the documents of ``config``, and compare with stored values; record nothing.

    Args:
        config: the model, tasks and documents.
        value: the value to compare with: a metric that is a mean, or a derived value; None for each task's own.
        recorder: has the stored values.
        listener: gets sentences on slow work, and after each document how many of the task are done.

    Raises:
        CornerstoneError: something asked for is wrong or cannot be had.
    """
    bench = open_workbench(config, listener)
    values = [resolve(task.record, task.document_records, value) for task in bench.tasks]
    proxies: list[ProxyRow] = []
    correlations: list[CorrelationRow] = []
    gaps: list[Gap] = []
    decoder = bench.model.decoder()
    sublayers, layers = (grouping(name, bench.model.players) for name in ("sublayers", "layers"))
    for asked, task, own in zip(config.tasks, bench.tasks, values, strict=True):
        listener.narrate(f"the intact model on {len(task.documents)} documents of {task.record.name}")
        rows = [pack([document.texts], bench.encoder.max_length) for document in task.documents]
        found = measure_proxies(decoder, rows, on_document=listener.on_batch)
        of = _compared(bench, task, own, recorder)
        for units in (sublayers, layers):
            proxies += proxy_rows(found, units, of)
            correlations += correlation_rows(found, units, of)
        if len(targets_of(of.scores, sublayers)) < _TARGETS:
            fill = config.model_copy(update={"tasks": (asked,), "schedule": ("windows",), "store": None})
            what = "not every drop and window of these documents is stored"
            gaps.append(Gap(f"{task.record.name}: {what}", fill))
    return Checked(tuple(proxies), tuple(correlations), tuple(gaps))


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
