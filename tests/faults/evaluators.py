"""An evaluator in a home of its own, and a client that gives it a study to do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from core.config.run_config import RunConfig
from core.evaluator.address import lock_path, log_path, socket_path
from core.evaluator.protocol import Jobs, JobView, ShutDown
from tests.faults.home import Home
from tests.faults.killing import end_those_with
from tests.support.evaluator_process import Talk, start, talk
from tests.support.programs import Program

_OVER = ("finished", "cancelled", "failed")
_PATIENCE_S = 300.0
_LOOK_EVERY_S = 0.1


@contextmanager
def evaluator(store: Path, home: Home, *, whole: bool) -> Iterator[Program]:
    """Run the evaluator of a store within the block."""
    arguments = ["-P", "-m", "tui.worker", "serve", str(store)]
    program = Program(arguments, folder=Path("/"), environment=home.environment, merged=True, whole=whole)
    try:
        yield program
    finally:
        program.end()
        clean(store)


def clean(store: Path) -> None:
    """End every evaluator of a store, and remove its socket, lock and log."""
    end_those_with(str(store))
    for path in (socket_path(store), lock_path(store), log_path(store)):
        path.unlink(missing_ok=True)


async def begin(talking: Talk, config: RunConfig) -> None:
    """Start a job, and wait until it evaluates."""
    await talking.ask(start(config, "the study"))
    await talking.job(1, "running", *_OVER)


async def over(talking: Talk) -> JobView:
    """Wait until the first job is over and nothing waits to be written."""
    async with asyncio.timeout(_PATIENCE_S):
        jobs = await talking.expect(Jobs, lambda jobs: jobs.jobs[0].state in _OVER and not jobs.unsaved)
    return jobs.jobs[0]


async def _listens(store: Path) -> None:
    """Wait until the evaluator of a store listens, longer than ``talk`` waits on its own."""
    async with asyncio.timeout(_PATIENCE_S):
        while not socket_path(store).exists():
            await asyncio.sleep(_LOOK_EVERY_S)


def study(store: Path, config: RunConfig, in_between: Callable[[], None]) -> JobView:
    """Let the evaluator of a store do a study to its end.

    Args:
        store: whose evaluator runs already, or is being started.
        config: the study.
        in_between: called once the job has begun.
    """

    async def follow() -> JobView:
        await _listens(store)
        async with talk(store) as talking:
            await begin(talking, config)
            await asyncio.to_thread(in_between)
            view = await over(talking)
            await talking.ask(ShutDown())
            await talking.gone()
        return view

    return asyncio.run(follow())


def begun(store: Path, config: RunConfig, then: Callable[[], None]) -> None:
    """Give the evaluator of a store a study, and do something as soon as the job has begun."""

    async def follow() -> None:
        await _listens(store)
        async with talk(store) as talking:
            await begin(talking, config)
            await asyncio.to_thread(then)

    asyncio.run(follow())
