"""`cornerstone bench`: the sweep against a loop over lm-eval, and against the machine's limit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from core.bench.report import BenchReport, VllmLoop
from core.config.run_config import RunConfig
from tui.drawing.plain import plain

# BoolQ's documents are passages, and few of them are work enough.
_LIMITS = {"boolq": 16}
_LIMIT = 48


def with_limits(config: RunConfig) -> Iterator[RunConfig]:
    """Yield a configuration for each task, in file order, with enough documents for a measurement."""
    for task in config.tasks:
        limit = config.limit or _LIMITS.get(task.name, _LIMIT)
        yield config.model_copy(update={"tasks": (task,), "limit": limit, "schedule": (), "remove": ()})


def print_reports(reports: Sequence[BenchReport], *, as_json: bool) -> None:
    """Print the measurements: a JSON list of objects, or a paragraph for each task."""
    if as_json:
        print(json.dumps([asdict(report) for report in reports], indent=1, allow_nan=False), flush=True)
        return
    print("\n\n".join(map(_paragraph, reports)))


def _paragraph(report: BenchReport) -> str:
    loop = (
        f"{report.lm_eval_seconds:.1f} s by proportion from {report.lm_eval_timed} coalitions, "
        f"batch size {report.lm_eval_batch_size}"
    )
    peak = f"large matrix products: {report.peak_flops / 1e9:.0f} GFLOPS"
    lines = [
        f"{plain(report.task)}: {report.documents} documents under {report.coalitions} coalitions, "
        f"{report.dtype} on {report.device}, {report.threads} threads",
        f"  sweep         {report.seconds:.1f} s",
        f"  lm-eval loop  {loop}",
        f"  speedup       {report.speedup:.1f} x",
        f"  limit         {report.fraction_of_limit:.2f} of it ({peak})",
        f"  outcomes      {_outcomes(report)}",
        f"  memory        {report.peak_memory_bytes / 2**20:.0f} MiB at most",
    ]
    if (loop_by_vllm := report.vllm) is not None:
        lines += _of_vllm(loop_by_vllm, report)
    if (first := report.answer) is not None:
        lines += [
            f"  certain       {' and '.join(map(plain, first.inside))} are in the top 3 and {first.out} layers out "
            f"({first.value}) after {first.documents} documents",
            f"                {first.seconds:.0f} s from the start; a loop over lm-eval on the whole task "
            f"{first.lm_eval_seconds:.0f} s: {first.speedup:.0f} x",
        ]
    return "\n".join(lines)


def _of_vllm(loop: VllmLoop, report: BenchReport) -> list[str]:
    """Return the lines on the loop by vLLM, whose kernels round otherwise in every dtype."""
    return [
        f"  vLLM loop     {loop.seconds:.1f} s by proportion from {loop.timed} coalitions, vLLM {plain(loop.version)}: "
        f"{loop.speedup:.1f} x",
        f"                {loop.answers_differ} of {report.answers_compared} answers differ, log-probabilities by "
        f"{_number(loop.median_logprob_difference)} (median), {_number(loop.max_logprob_difference)} (largest)",
    ]


def _number(number: float | None) -> str:
    return "not a number" if number is None else f"{number:.1e}"


def _outcomes(report: BenchReport) -> str:
    """Return how the sweep's outcomes compare with the loop's: equal or not in float32, else how far they are apart."""
    largest, median = _number(report.max_logprob_difference), _number(report.median_logprob_difference)
    if report.dtype == "float32":
        equal = "equal" if report.outcomes_equal else "NOT EQUAL"
        return f"{equal}, largest log-probability difference {largest}"
    return (
        f"{report.answers_differ} of {report.answers_compared} answers differ as {report.dtype} rounds, "
        f"log-probabilities by {median} (median), {largest} (largest)"
    )
