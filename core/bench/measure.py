"""Measure all windows by the sweep, a sample of them by a loop over lm-eval, and the limit of the machine."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from core.bench.comparison import Comparison
from core.bench.limit import Peak
from core.bench.loop import LmEvalLoop
from core.bench.report import BenchReport
from core.bench.soonest import Reached, answer
from core.bench.vllm_loop import refuse_no_vllm, vllm_answers, vllm_here, vllm_report
from core.bench.vllm_peer import Answered
from core.coalitions.players import Removed
from core.coalitions.schedules import windows
from core.cost.of_model import row_work, work_of
from core.cost.work import added, operations
from core.engine.fetch import Narrate
from core.engine.packing import pack
from core.errors import CornerstoneError
from core.estimators.windows import WindowFirst
from core.records.memory_recorder import MemoryRecorder
from core.records.records import Outcome
from core.study.events import ChunkRecorded
from core.study.plan import Schedule
from core.study.workbench import Workbench
from core.tasks.entries import WRITES
from core.tasks.prepare import PreparedTask

TIMED = 6
"""Number of coalitions that the loop evaluates; the time of the others is extrapolated."""

Outcomes = Mapping[tuple[str, Removed], Outcome]
"""Outcomes by a document's key and what is removed."""


def measure(
    bench: Workbench,
    task: PreparedTask,
    narrate: Narrate,
    *,
    max_removed: int = 4,
    ready: float = 0.0,
    vllm: Path | None = None,
) -> BenchReport:
    """Measure one task of a workbench.

    Args:
        bench: the model, and its tasks.
        task: the task.
        narrate: hears what is going on.
        max_removed: the longest window.
        ready: the seconds from the start of a program that measures this task alone until it can begin.
        vllm: the Python of an environment that has lm-eval and vLLM, which are then timed too. None: this one, where
            it has vLLM and the model is on CUDA.

    Raises:
        CornerstoneError: the task is a rolling log-likelihood, or has the model write texts, which the loop does not
            time; or the Python that is named for vLLM lacks it.
    """
    if task.record.output_type in ("loglikelihood_rolling", WRITES):
        kind = "has the model write texts" if task.record.output_type == WRITES else "is a rolling log-likelihood"
        raise CornerstoneError(f"{task.record.name} {kind}; choose a task that has choices")
    if vllm is not None:
        refuse_no_vllm(vllm)
    coalitions = windows(len(bench.model.players), max_removed)
    peak = Peak(bench.model.model)
    narrate(f"warming up; then {len(coalitions)} coalitions x {len(task.documents)} documents of {task.record.name}")
    _swept(bench, task, coalitions[:3], None)
    reached, outcomes = _swept(bench, task, coalitions, peak)
    seconds = reached[-1].seconds
    memory = _peak_memory(bench)
    narrate(f"swept in {seconds:.1f} s; now lm-eval on {TIMED} of the coalitions")
    loop = LmEvalLoop(bench.model, task)
    loop.tune()
    sample = [coalitions[i] for i in np.linspace(0, len(coalitions) - 1, TIMED).astype(int)]
    looped, compared = 0.0, Comparison()
    for removed in sample:
        loop_seconds, theirs = loop.evaluate(removed)
        looped += loop_seconds
        _compare(compared, task, removed, outcomes, theirs)
        peak.sample()
    by_vllm = _by_vllm(bench, task, sample, outcomes, vllm, narrate)
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
        max_logprob_difference=compared.largest,
        median_logprob_difference=compared.median,
        outcomes_equal=compared.equal,
        answers_compared=compared.documents,
        answers_differ=compared.differ,
        peak_memory_bytes=memory,
        peak_flops=peak.flops,
        device=bench.device,
        dtype=bench.model.record.dtype,
        threads=torch.get_num_threads(),
        answer=answer(
            bench,
            task,
            WindowFirst(max_removed),
            outcomes,
            reached,
            ready=ready,
            lm_eval_seconds=whole / len(task.documents) * task.data.size,
        ),
        vllm=None if by_vllm is None else vllm_report(*by_vllm, len(coalitions), seconds),
    )


def _compare(
    compared: Comparison, task: PreparedTask, removed: Removed, ours: Outcomes, theirs: Sequence[Outcome]
) -> None:
    """Compare the outcomes of one coalition, document by document."""
    for document, their in zip(task.documents, theirs, strict=True):
        compared.add(ours[document.record.key, removed], their, document.record.choices)


def _by_vllm(
    bench: Workbench,
    task: PreparedTask,
    sample: Sequence[Removed],
    ours: Outcomes,
    asked: Path | None,
    narrate: Narrate,
) -> tuple[Answered, Comparison] | None:
    """Return what vLLM answers to a sample of the coalitions, and how it compares.

    What fails is said, and the rest of the benchmark is kept. None then, and where there is no vLLM.
    """
    python = asked or vllm_here(bench.device)
    if python is None:
        return None
    narrate(f"now lm-eval with vLLM, by {python}")
    try:
        answered, theirs = vllm_answers(bench, task, sample, python)
    except CornerstoneError as error:
        narrate(f"no figures of vLLM: {error}")
        return None
    compared = Comparison()
    for removed, outcomes in zip(sample, theirs, strict=True):
        _compare(compared, task, removed, ours, outcomes)
    return answered, compared


def _swept(
    bench: Workbench, task: PreparedTask, coalitions: Sequence[Removed], peak: Peak | None
) -> tuple[list[Reached], dict[tuple[str, Removed], Outcome]]:
    """Return the seconds of a study chunk by chunk, without the time for sampling the peak, and its outcomes."""
    kept = MemoryRecorder()
    keys = list(dict.fromkeys(document.record.key for document in task.documents))
    seconds, start = 0.0, time.perf_counter()
    reached: list[Reached] = []
    for event in bench.study((task,), [Schedule("bench", tuple(coalitions))]).run("bench", kept):
        if isinstance(event, ChunkRecorded):
            seconds += time.perf_counter() - start
            reached.append(Reached(frozenset(key for key in keys if (key, coalitions[-1]) in kept.outcomes), seconds))
            if peak is not None:
                peak.sample()
            start = time.perf_counter()
    reached.append(Reached(frozenset(keys), seconds + time.perf_counter() - start))
    return reached, kept.outcomes


def _work(bench: Workbench, task: PreparedTask, coalitions: Sequence[Removed]) -> float:
    """Return the operations of the distinct work. A document's tokens do not depend on the row that holds it."""
    work = replace(work_of(bench.model.model, bench.model.layout), shares=True)
    rows = (pack([document.continuations], bench.encoder.max_length) for document in task.documents)
    return operations(work, added((row_work(work, row) for row in rows), len(work.sights)), coalitions)


def _peak_memory(bench: Workbench) -> int:
    """Return the peak memory in bytes."""
    if bench.device == "cuda":
        return int(torch.cuda.max_memory_allocated())
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
