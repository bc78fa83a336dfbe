"""Throughput of two workers with one thread each against one process with two threads, and what Ray costs of it.

Both evaluate the same documents of the default model under the same coalitions, in turn, so that what else the machine
does falls on both. Starting is told apart. What Ray costs is told by one worker with one thread against one process
with one thread.
"""

from __future__ import annotations

import statistics
import sys
import time

import torch

from core.config.run_config import RunConfig
from core.records.memory_recorder import MemoryRecorder
from core.study.events import ChunkRecorded, PhaseStarted
from core.study.listener import Callbacks
from core.study.plan import schedules_of
from core.study.workbench import Workbench, for_driver, new_run, open_workbench
from core.workers.hired import with_workers

_LIMIT, _TURNS = 48, 3
_GOALS = {2: "ratio, goal .9", 1: "ratio, goal .97"}


def main() -> None:
    """Measure, and print the figures."""
    limit = int(sys.argv[1]) if len(sys.argv) > 1 else _LIMIT
    listener = Callbacks(narrate=lambda text: print(text, file=sys.stderr))
    asked = {"tasks": ["agreement"], "limit": limit, "schedule": "ablation"}
    bench = open_workbench(for_driver(RunConfig.model_validate({**asked, "workers": 1})), listener)
    print(f"{limit} documents of agreement under ablation, default model, {_TURNS} times in turn")
    for count in (2, 1):
        torch.set_num_threads(count)
        config = RunConfig.model_validate({**asked, "workers": count})
        _compare(bench, config, count, listener)


def _compare(bench: Workbench, config: RunConfig, count: int, listener: Callbacks) -> None:
    """Print the rates of some workers with a thread each, and of this process with as many threads."""
    _rate(bench, config)  # the first chunk is slower
    began = time.perf_counter()
    with with_workers(bench, config, listener) as crewed:
        start = time.perf_counter() - began
        _rate(crewed, config)
        pairs = [(_rate(bench, config), _rate(crewed, config)) for _ in range(_TURNS)]
    alone, together = (statistics.median(each) for each in zip(*pairs, strict=True))
    ratios = [with_workers_ / by_itself for by_itself, with_workers_ in pairs]
    each = ", ".join(f"{ratio:.3f}" for ratio in ratios)
    print(f"one process, threads: {count}    {alone:8.2f} outcomes/s")
    print(f"workers, a thread each: {count}  {together:8.2f} outcomes/s")
    print(f"{_GOALS[count]}: {statistics.median(ratios):.3f} ({each}); ready after {start:.1f} s")


def _rate(bench: Workbench, config: RunConfig) -> float:
    """Return how many outcomes a second a study takes, from its start to its last chunk."""
    recorder = MemoryRecorder()
    study = bench.study(bench.tasks, schedules_of(config, bench.model.players))
    began = last = 0.0
    for event in study.run(new_run(config, "benchmark").run_id, recorder):
        match event:
            case PhaseStarted():
                began = time.perf_counter()
            case ChunkRecorded():
                last = time.perf_counter()
    return len(recorder.outcomes) / (last - began)


if __name__ == "__main__":
    main()
