"""A real evaluator in a process of its own, and a client that talks with it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from core.config.run_config import RunConfig
from core.evaluator import client
from core.evaluator.address import lock_path, socket_path
from core.evaluator.protocol import Event, Jobs, JobView, Refusal, Request, StartJob, Toggle
from tests.support.programs import Program

EventT = TypeVar("EventT")

PATIENCE_S = 240.0
SERVE = ("-P", "-m", "tui.worker", "serve")
"""What Python runs as an evaluator; the store follows."""


class Evaluator:
    """An evaluator process. Always ``end`` it, even if it may have ended by itself."""

    def __init__(self, store: Path, program: Sequence[str] = SERVE) -> None:
        self.store = store
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        self._program = Program([*program, str(store)], folder=Path("/"), environment=environment, merged=True)

    @property
    def pid(self) -> int:
        return self._program.pid

    def runs(self) -> bool:
        return self._program.runs()

    def signal(self, number: int) -> None:
        self._program.signal(number)

    def wait(self) -> tuple[int, str]:
        """Wait until it ends; return its exit code and its output."""
        try:
            done = self._program.wait(PATIENCE_S)
        finally:
            self._program.end()
        return done.returncode, done.stdout

    def end(self) -> None:
        self._program.end()
        for path in (socket_path(self.store), lock_path(self.store)):
            path.unlink(missing_ok=True)


class Talk:
    """A connection that keeps every event it receives."""

    def __init__(self, connection: client.Connection) -> None:
        self.connection = connection
        self.heard: list[Event] = []
        self._events = connection.events()

    async def ask(self, *requests: Request) -> None:
        for request in requests:
            await self.connection.send(request)

    async def expect(self, kind: type[EventT], fits: Callable[[EventT], bool] = lambda _: True) -> EventT:
        """Return the next event of a kind that fits, skipping others."""
        why = "the evaluator is gone"
        try:
            async with asyncio.timeout(PATIENCE_S):
                async for event in self._events:
                    self.heard.append(event)
                    if isinstance(event, kind) and fits(event):
                        return event
        except TimeoutError:
            why = f"{PATIENCE_S:.0f} s are over"
        raise AssertionError(f"{why} before the {kind} that is expected; the last events: {self.heard[-5:]}")

    async def job(self, number: int, *states: str) -> JobView:
        jobs = await self.expect(Jobs, lambda jobs: len(jobs.jobs) >= number and jobs.jobs[number - 1].state in states)
        return jobs.jobs[number - 1]

    async def start(self, config: RunConfig) -> int:
        """Start a job; return its number."""
        request = start(config, f"test {len(self.heard)} {id(self)}")
        await self.ask(request)
        jobs = await self.expect(Jobs, lambda jobs: any(job.command == request.command for job in jobs.jobs))
        return len(jobs.jobs)

    async def settled(self) -> None:
        """Receive the first events and the answers to all earlier requests."""
        await self.ask(Toggle(task="none", removed=()))
        await self.expect(Refusal, lambda refusal: "no longer open" in refusal.text)

    async def gone(self) -> None:
        """Receive all events until the evaluator is gone."""
        async with asyncio.timeout(PATIENCE_S):
            async for event in self._events:
                self.heard.append(event)


@asynccontextmanager
async def talk(store: Path, evaluator: Evaluator | None = None) -> AsyncIterator[Talk]:
    """Talk with the evaluator of a store, as soon as it listens."""
    async with asyncio.timeout(PATIENCE_S):
        while (connection := await client.connect(store)) is None:
            assert evaluator is None or evaluator.runs(), evaluator.wait()
            await asyncio.sleep(0.05)
    try:
        yield Talk(connection)
    finally:
        await connection.close()


def config_of(
    model: Path | str, *tasks: str, limit: int | None = 8, schedule: tuple[str, ...] = ("ablation",), **more: object
) -> RunConfig:
    """Return the configuration of a run on shipped tasks, on agreement if none is named."""
    return RunConfig.model_validate(
        {"model": str(model), "tasks": tasks or ("agreement",), "limit": limit, "schedule": schedule, **more}
    )


def start(config: RunConfig, command: str = "test") -> StartJob:
    return StartJob(config=config, command=command)
