"""How much faster a sweep in bfloat16 is than in float32, on a CPU that has instructions for it.

``python -m tests.benchmarks.number_formats TASK=FILE.jsonl [DOCUMENTS]`` opens the default model in both formats and
sweeps all windows of up to 4 over the same documents in turn. The ratio of each pair is robust against other load.
"""

from __future__ import annotations

import statistics
import sys
import time

import torch

from core.coalitions.players import Removed
from core.coalitions.schedules import windows
from core.config.run_config import RunConfig
from core.config.task_config import written_task
from core.engine.number_formats import fast_on_cpu
from core.machine.allocator import keep_freed_memory
from core.records.memory_recorder import MemoryRecorder
from core.study.plan import Schedule
from core.study.workbench import Workbench, open_workbench

_DTYPES = ("float32", "bfloat16")
_DOCUMENTS, _PAIRS = 6, 7
LEAST = 1.55


def main() -> None:
    """Print the ratio, or why there is none."""
    if not fast_on_cpu(torch.bfloat16):
        print("skipped: this CPU has no instructions for bfloat16 (AVX512-BF16 or AMX)")
        return
    keep_freed_memory()
    task, documents = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else _DOCUMENTS
    benches = [_opened(task, documents, dtype) for dtype in _DTYPES]
    coalitions = windows(len(benches[0].model.players), 4)
    for bench in benches:
        _seconds(bench, coalitions[:3])
    ratios = []
    for _ in range(_PAIRS):
        full, half = (_seconds(bench, coalitions) for bench in benches)
        ratios.append(full / half)
        print(f"float32 {full:.2f} s, bfloat16 {half:.2f} s: {ratios[-1]:.2f} x", flush=True)
    print(f"median {statistics.median(ratios):.2f} x of {_PAIRS} pairs, {documents} documents (goal {LEAST})")


def _opened(task: str, documents: int, dtype: str) -> Workbench:
    settings = {"tasks": [written_task(task)], "limit": documents, "dtype": dtype, "device": "cpu"}
    return open_workbench(RunConfig.model_validate(settings))


def _seconds(bench: Workbench, coalitions: list[Removed]) -> float:
    start = time.perf_counter()
    for _ in bench.study(bench.tasks, [Schedule("bench", tuple(coalitions))]).run("bench", MemoryRecorder()):
        pass
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
