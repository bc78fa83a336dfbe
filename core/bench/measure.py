"""Measure all windows by the sweep, a sample of them by a loop over lm-eval, and the limit of the machine."""

from __future__ import annotations

import math
import resource
import sys
import time
from collections.abc import Sequence

import numpy as np
import torch

from core.bench.comparison import difference, same
from core.bench.limit import Peak, distinct_work
from core.bench.loop import LmEvalLoop
from core.bench.report import BenchReport
from core.coalitions.players import Removed
from core.coalitions.schedules import windows
from core.engine.fetch import Narrate
from core.engine.packing import pack
from core.errors import CornerstoneError
from core.records.memory_recorder import MemoryRecorder
from core.records.records import Outcome
from core.study.events import ChunkRecorded
from core.study.plan import Schedule
from core.study.workbench import Workbench
from core.tasks.entries import WRITES
from core.tasks.prepare import PreparedTask

TIMED = 6
"""Number of coalitions that the loop evaluates; the time of the others is extrapolated."""


def measure(bench: Workbench, task: PreparedTask, narrate: Narrate, *, max_removed: int = 4) -> BenchReport:
    """Measure one task of a workbench.

    Raises:
        CornerstoneError: the task is a rolling log-likelihood, or has the model write texts, which the loop does not
            time.
    """
    if task.record.output_type in ("loglikelihood_rolling", WRITES):
        kind = "has the model write texts" if task.record.output_type == WRITES else "is a rolling log-likelihood"
        raise CornerstoneError(f"{task.record.name} {kind}; choose a task that has choices")
    coalitions = windows(len(bench.model.players), max_removed)
    peak = Peak(bench.model.model)
    narrate(f"warming up; then {len(coalitions)} coalitions x {len(task.documents)} documents of {task.record.name}")
    _swept(bench, task, coalitions[:3], None)
    seconds, outcomes = _swept(bench, task, coalitions, peak)
    memory = _peak_memory(bench)
    narrate(f"swept in {seconds:.1f} s; now lm-eval on {TIMED} of the coalitions")
    loop = LmEvalLoop(bench.model, task)
    loop.tune()
    sample = [coalitions[i] for i in np.linspace(0, len(coalitions) - 1, TIMED).astype(int)]
    looped, apart, equal = 0.0, 0.0, True
    for removed in sample:
        loop_seconds, theirs = loop.evaluate(removed)
        looped += loop_seconds
        ours = [outcomes[document.record.key, removed] for document in task.documents]
        apart = max(apart, *(difference(a, b) for a, b in zip(ours, theirs, strict=True)))
        equal = equal and all(
            same(a, b, doc.record.choices) for a, b, doc in zip(ours, theirs, task.documents, strict=True)
        )
        peak.sample()
    whole = looped / len(sample) * len(coalitions)
    return BenchReport(
        task=task.record.name,
        documents=len(task.documents),
        coalitions=len(coalitions),
        speedup=whole / seconds,
        fraction_of_limit=_work(bench, task, coalitions) / peak.flops / seconds,
        seconds=seconds,
        lm_eval_seconds=whole,
        lm_eval_timed=len(sample),
        lm_eval_batch_size=loop.batch_size,
        max_logprob_difference=apart if math.isfinite(apart) else None,
        outcomes_equal=equal,
        peak_memory_bytes=memory,
        peak_flops=peak.flops,
        device=bench.device,
        dtype=bench.model.record.dtype,
        threads=torch.get_num_threads(),
    )


def _swept(
    bench: Workbench, task: PreparedTask, coalitions: Sequence[Removed], peak: Peak | None
) -> tuple[float, dict[tuple[str, Removed], Outcome]]:
    """Return the seconds of a study, without the time for sampling the peak, and its outcomes."""
    kept = MemoryRecorder()
    seconds, start = 0.0, time.perf_counter()
    for event in bench.study((task,), [Schedule("bench", tuple(coalitions))]).run("bench", kept):
        if isinstance(event, ChunkRecorded) and peak is not None:
            seconds += time.perf_counter() - start
            peak.sample()
            start = time.perf_counter()
    return seconds + time.perf_counter() - start, kept.outcomes


def _work(bench: Workbench, task: PreparedTask, coalitions: Sequence[Removed]) -> float:
    """Return the operations of the distinct work. A document's tokens do not depend on the row that holds it."""
    rows = (pack([document.continuations], bench.encoder.max_length) for document in task.documents)
    return sum(distinct_work(bench.model.model, bench.model.layout, row, coalitions) for row in rows)


def _peak_memory(bench: Workbench) -> int:
    """Return the peak memory in bytes."""
    if bench.device == "cuda":
        return int(torch.cuda.max_memory_allocated())
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
