"""Workers that Ray starts: an actor each, on this machine or on those of a cluster."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import NodeDiedError, OutOfMemoryError, RayError

from core.workers.link import Hired, LostError, Ticket
from core.workers.member import Member
from core.workers.messages import Progress, Reply, Work

_CONTROL = "control"
_ASIDE = "aside"


@dataclass(frozen=True, slots=True)
class Share:
    """What each worker gets: CPUs and GPUs of its machine as Ray counts them, and threads; None for all cores."""

    cpus: int
    gpus: int
    threads: int | None


def share_of(count: int | None, *, accelerated: bool) -> tuple[int, Share]:
    """Return how many workers a cluster has room for, and what each of them gets.

    Each gets a GPU where there are some, else an equal share of a machine's CPUs.

    Args:
        count: how many workers are wanted; None for one on each GPU, or on each machine where there is none.
        accelerated: whether GPUs may be used.
    """
    machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    gpus = int(sum(machine.get("GPU", 0) for machine in machines)) if accelerated else 0
    if gpus:
        return count or gpus, Share(cpus=1, gpus=1, threads=None)
    wanted = count or len(machines)
    fewest = int(min(machine.get("CPU", 1) for machine in machines))
    threads = max(1, fewest // -(-wanted // len(machines)))
    return wanted, Share(cpus=threads, gpus=0, threads=threads)


class RayLink:
    """Hires actors of a Ray that this process is connected to."""

    def __init__(self, config: str, share: Share) -> None:
        """Describe the workers.

        Args:
            config: the run that they open, as JSON.
            share: what each gets.
        """
        self._arguments = (config, share.threads)
        self._class: Any = ray.remote(concurrency_groups={_CONTROL: 1, _ASIDE: 1})(Member).options(
            num_cpus=share.cpus,
            num_gpus=share.gpus,
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy="SPREAD",
        )

    def hire(self) -> Hired:
        return _Actor(self._class.remote(*self._arguments))

    def answered(self, tickets: Collection[Ticket], seconds: float) -> list[Ticket]:
        waited: list[Any] = list(tickets)
        if not waited:
            return []
        ready, _rest = ray.wait(waited, num_returns=len(waited), timeout=0)
        if not ready:
            ready, _rest = ray.wait(waited, num_returns=1, timeout=seconds)
        return list(ready)

    def answer(self, ticket: Ticket) -> Reply | Progress:
        reference: Any = ticket
        try:
            found: Reply | Progress = ray.get(reference)
        except RayError as error:
            raise LostError(_why(error)) from error
        return found


class _Actor:
    """An actor, as a hired worker."""

    def __init__(self, actor: Any) -> None:
        self._actor = actor

    def open(self) -> Ticket:
        return _ticket(self._actor.open.remote())

    def evaluate(self, work: Work) -> Ticket:
        return _ticket(self._actor.evaluate.remote(work))

    def aside(self, work: Work) -> Ticket:
        return _ticket(self._actor.aside.options(concurrency_group=_ASIDE).remote(work))

    def progress(self) -> Ticket:
        return _ticket(self._actor.progress.options(concurrency_group=_CONTROL).remote())

    def drop(self, number: int) -> None:
        self._actor.drop.options(concurrency_group=_CONTROL).remote(number)

    def hold(self, held: bool) -> None:
        self._actor.hold.options(concurrency_group=_CONTROL).remote(held)

    def leave(self) -> None:
        with suppress(RayError, RuntimeError, ValueError):  # it is gone already, or Ray is
            ray.kill(self._actor, no_restart=True)


def _ticket(reference: Ticket) -> Ticket:
    return reference


def _why(error: RayError) -> str:
    """Return in a few words why a worker was lost."""
    said = str(error)
    if isinstance(error, NodeDiedError) or "its node has died" in said:
        return "its machine is gone"
    if isinstance(error, OutOfMemoryError) or "memory pressure" in said:
        return "its machine ran out of memory"
    if "ModuleNotFoundError" in said:
        return "cornerstone is not installed there as it is here"
    return "its process ended"
