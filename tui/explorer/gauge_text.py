"""The gauges of the evaluator and of its machine, in one line that changes only when they do."""

from __future__ import annotations

from core.machine.gauges import Gauges, GpuGauge

_GB = 1e9


def gauge_text(gauges: Gauges | None) -> str:
    """Return ``evaluator: 1.9 of 2 cores, 1.2 GB   machine: 5.4 of 25.2 GB free   GPU 0: 98%, 71 of 139 GB``."""
    if gauges is None:
        return "no evaluator to measure"
    parts = [
        f"evaluator: {gauges.cores:.1f} of {gauges.all_cores} cores, {gauges.memory / _GB:.1f} GB",
        f"machine: {gauges.free / _GB:.1f} of {gauges.all_memory / _GB:.1f} GB free",
        *(_gpu(number, gpu) for number, gpu in enumerate(gauges.gpus)),
    ]
    return "   ".join(parts)


def _gpu(number: int, gpu: GpuGauge) -> str:
    return f"GPU {number}: {gpu.busy:.0%}, {gpu.taken / _GB:.0f} of {gpu.memory / _GB:.0f} GB"
