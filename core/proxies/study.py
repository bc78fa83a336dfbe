"""Proxies on a real model and its tasks, beside what a store holds of the same documents."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from core.coalitions.grouping import grouping
from core.coalitions.players import Removed
from core.config.run_config import RunConfig, command_of
from core.engine.decoder import Decoder
from core.engine.packing import pack
from core.models.families import shares_input
from core.proxies.compare import Compared, correlation_rows, proxy_rows, targets_of
from core.proxies.measure import measure_proxies
from core.proxies.rows import CorrelationRow, ProxyRow
from core.records.fingerprint import short_id
from core.records.records import Assignment, Recorder
from core.statistics.intervals import FloatArray
from core.study.workbench import Narrate, Workbench, open_workbench
from core.tasks.prepare import PreparedTask
from core.values.of_task import checked_value


@dataclass(frozen=True, slots=True)
class Checked:
    """Proxies of every task, how they agree with what is stored, and what would have to be stored for more."""

    proxies: tuple[ProxyRow, ...]
    correlations: tuple[CorrelationRow, ...]
    gaps: tuple[str, ...]


def check_proxies(
    config: RunConfig, value: str, recorder: Recorder, narrate: Narrate, breathe: Callable[[int], None]
) -> Checked:
    """Run the intact model over the documents of ``config``; nothing is evaluated or kept.

    Args:
        config: the model, tasks and documents.
        value: what drops and Shapley values are of: a metric that is a mean, or one of ``core.values.derived.DERIVED``.
        recorder: says what is stored.
        narrate: told what takes long.
        breathe: told how many documents of a task are done.

    Raises:
        CornerstoneError: something asked for is wrong or cannot be had.
    """
    bench = open_workbench(config, narrate)
    for task in bench.tasks:
        checked_value(task.record, [document.record for document in task.documents], value)
    proxies: list[ProxyRow] = []
    correlations: list[CorrelationRow] = []
    gaps: list[str] = []
    decoder = Decoder(bench.model.model, bench.model.family)
    shared = shares_input(bench.model.model.config)
    for asked, task in zip(config.tasks, bench.tasks, strict=True):
        narrate(f"the intact model on {len(task.documents)} documents of {task.record.name}")
        rows = [pack([document.continuations], bench.encoder.max_length) for document in task.documents]
        found = measure_proxies(decoder, rows, shared_input=shared, breathe=breathe)
        of = _compared(bench, task, value, recorder)
        for name in ("sublayers", "layers"):
            units = grouping(name, bench.model.players)
            proxies += proxy_rows(found, units, of)
            correlations += correlation_rows(found, units, of)
        if len(targets_of(of.scores, grouping("sublayers", bench.model.players))) < _TARGETS:
            fill = config.model_copy(update={"tasks": (asked,), "schedule": ("windows",)})
            what = "not every drop and window of these documents is stored"
            gaps.append(f"{task.record.name}: {what}; `{command_of(fill)}` fills it")
    return Checked(tuple(proxies), tuple(correlations), tuple(gaps))


_TARGETS = 3


def _compared(bench: Workbench, task: PreparedTask, value: str, recorder: Recorder) -> Compared:
    record = bench.model.record
    return Compared(
        model=record.name,
        task=task.record.name,
        model_id=short_id(record.fingerprint),
        task_id=short_id(task.record.fingerprint, task.data.fingerprint),
        value=value,
        scores=_scores(bench, task, value, recorder),
    )


def _scores(bench: Workbench, task: PreparedTask, value: str, recorder: Recorder) -> dict[Removed, FloatArray]:
    """What is stored of a task's documents, in their order; NaN where there is nothing."""
    records = [document.record for document in task.documents]
    stored = recorder.values(Assignment(bench.model.record, task.record, task.data, records, ()), value)
    place = {key: at for at, key in enumerate(stored.keys)}
    columns = np.array([place.get(record.key, -1) for record in records])
    if not place:
        return {}
    return {
        removed: np.where(columns >= 0, line[columns], np.nan)
        for removed, line in zip(stored.removed, stored.values, strict=True)
    }
