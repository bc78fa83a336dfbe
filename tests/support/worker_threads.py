"""Workers in threads of this process: the real member with a model of its own, reached without Ray."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch

from core.config.run_config import RunConfig
from core.study.listener import Callbacks, Listener
from core.study.workbench import Workbench
from core.workers.crew import Crew, Wanted
from core.workers.documents import documents_digest, task_id
from core.workers.evaluator import CrewEvaluator
from core.workers.link import Hired, LostError, Ticket
from core.workers.member import Member
from core.workers.messages import Progress, Reply, Work

_OPENING = threading.Lock()


@dataclass(eq=False)
class ThreadWorker:
    """One member. ``loses`` says of a chunk whether the worker is lost with it."""

    member: Member
    loses: Callable[[Work], bool]
    pace: Callable[[], float]
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    beside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))

    def open(self) -> Ticket:
        return self.pool.submit(self._open)

    def evaluate(self, work: Work) -> Ticket:
        return self.pool.submit(self._evaluate, work)

    def aside(self, work: Work) -> Ticket:
        return self.beside.submit(self._aside, work)

    def progress(self) -> Ticket:
        done: Future[Progress] = Future()
        done.set_result(self.member.progress())
        return done

    def drop(self, number: int) -> None:
        self.member.drop(number)

    def hold(self, held: bool) -> None:
        self.member.hold(held)

    def leave(self) -> None:
        self.member.hold(False)
        self.beside.shutdown(wait=False, cancel_futures=True)
        self.pool.shutdown(wait=False, cancel_futures=True)

    def _open(self) -> Reply:
        with _OPENING:
            return self.member.open()

    def _aside(self, work: Work) -> Reply:
        if self.loses(work):
            raise LostError("its process ended")
        return self.member.aside(work)

    def _evaluate(self, work: Work) -> Reply:
        time.sleep(self.pace())
        if self.loses(work):
            raise LostError("its process ended")
        return self.member.evaluate(work)


@dataclass(eq=False)
class ThreadLink:
    """Hires members in threads; ``pace`` says how long each waits before a chunk, so that they end out of order."""

    config: str
    loses: Callable[[Work], bool] = lambda _work: False
    pace: Callable[[], float] = lambda: 0.0
    hired: int = 0

    def hire(self) -> Hired:
        self.hired += 1
        return ThreadWorker(Member(self.config, 1), self.loses, self.pace)

    def answered(self, tickets: Collection[Ticket], seconds: float) -> list[Ticket]:
        futures = [ticket for ticket in tickets if isinstance(ticket, Future)]
        return list(wait(futures, seconds, FIRST_COMPLETED).done)

    def answer(self, ticket: Ticket) -> Reply | Progress:
        assert isinstance(ticket, Future)
        found: Reply | Progress = ticket.result()
        return found


@dataclass
class InThreads:
    """Has threads evaluate the studies of a workbench, as ``core.workers.hired.with_workers`` has processes."""

    count: int
    loses: Callable[[Work], bool] = lambda _work: False
    pace: Callable[[], float] = lambda: 0.0
    said: list[str] = field(default_factory=list)
    link: ThreadLink | None = None

    @contextmanager
    def __call__(self, bench: Workbench, _config: RunConfig, listener: Listener) -> Iterator[Workbench]:
        threads, offline = torch.get_num_threads(), {name: os.environ.get(name) for name in ("HF_HUB_OFFLINE",)}
        self.link = ThreadLink(bench.config.model_dump_json(), self.loses, self.pace)
        record = bench.model.record
        documents = {task_id(task): documents_digest(task) for task in bench.tasks}
        told = Callbacks(self.said.append, on_workers=listener.on_workers)
        crew = Crew(self.link, self.count, Wanted(record.name, record.fingerprint, documents), told)
        try:
            crew.wait_until_ready(lambda: listener.on_batch(0.0))
            yield replace(bench, crewed=CrewEvaluator(bench.model, bench.encoder.max_length, crew, bench.tasks))
        finally:
            crew.leave()
            torch.set_num_threads(threads)
            assert {name: os.environ.get(name) for name in offline} == offline
