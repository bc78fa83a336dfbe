"""What the workers of a study do, in words: all of them in a few, or each in a line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from core.study.worker_view import WorkerView
from tui.drawing.numbers import rate_text
from tui.drawing.plain import counted, plain

_TIMES = {1: "once", 2: "twice"}


def crew_text(workers: Sequence[WorkerView]) -> str:
    """Return how many workers are at work and how fast each is: ``1 of 3 workers, 12/s each, 2 loading``."""
    ready = [worker for worker in workers if worker.at_work]
    wanted = counted(len(workers), "worker")
    parts = [wanted if len(ready) == len(workers) else f"{len(ready)} of {wanted}"]
    if rates := sorted(worker.rate for worker in ready if worker.rate > 0):
        low, high = rate_text(rates[0]), rate_text(rates[-1])
        parts.append(f"{high}/s" if len(ready) == 1 else f"{high}/s each" if low == high else f"{low} to {high}/s each")
    others = Counter(worker.doing for worker in workers if not worker.at_work)
    return ", ".join([*parts, *(f"{number} {doing}" for doing, number in others.items())])


def worker_line(worker: WorkerView) -> str:
    """Return what a worker does, how fast it is, and what it has done."""
    return f"{plain(worker.name)}: {', '.join([worker.doing, *_done(worker)])}"


def worker_end(worker: WorkerView) -> str:
    """Return what a worker has done, once the work is over."""
    doing = [worker.doing] if worker.doing in {"refused", "lost"} else []
    return f"{plain(worker.name)}: {', '.join([*doing, *(_done(worker) or ['nothing evaluated'])])}"


def _done(worker: WorkerView) -> list[str]:
    parts = []
    if worker.rate > 0:
        parts.append(f"{rate_text(worker.rate)}/s")
    if worker.outcomes:
        parts.append(counted(worker.outcomes, worker.counts))
    if worker.losses and worker.doing != "lost":
        parts.append(f"lost {_TIMES.get(worker.losses, f'{worker.losses} times')} and replaced")
    return parts
