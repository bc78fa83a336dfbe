"""`cornerstone bench`: the sweep against a loop over lm-eval, and against the machine's limit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from core.bench.report import BenchReport
from core.config.run_config import RunConfig
from tui.drawing.plain import plain

# BoolQ's documents are passages, and few of them are work enough.
_LIMITS = {"boolq": 16}
_LIMIT = 48


def with_limits(config: RunConfig) -> Iterator[RunConfig]:
    """Yield a configuration for each task, in file order, with enough documents for a measurement."""
    for task in config.tasks:
        limit = config.limit or _LIMITS.get(task.name, _LIMIT)
        yield config.model_copy(
            update={"tasks": (task,), "limit": limit, "order": "file", "schedule": (), "remove": ()}
        )


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
    equal = "equal" if report.outcomes_equal else "NOT EQUAL"
    apart = "not a number" if report.max_logprob_difference is None else f"{report.max_logprob_difference:.1e}"
    lines = [
        f"{plain(report.task)}: {report.documents} documents under {report.coalitions} coalitions, "
        f"{report.dtype} on {report.device}, {report.threads} threads",
        f"  sweep         {report.seconds:.1f} s",
        f"  lm-eval loop  {loop}",
        f"  speedup       {report.speedup:.1f} x",
        f"  limit         {report.fraction_of_limit:.2f} of it ({peak})",
        f"  outcomes      {equal}, largest log-probability difference {apart}",
        f"  memory        {report.peak_memory_bytes / 2**20:.0f} MiB at most",
    ]
    return "\n".join(lines)
