"""How long until a toggled coalition says its first number (16 documents): idle, and while a sweep is running.

The coalitions are pairs of layers that no window has, so none is stored. Times include the socket, as in the explorer.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from core.config.run_config import RunConfig
from core.evaluator import client
from core.evaluator.protocol import Event, Jobs, Open, Opened, Scored, StartJob, Toggle
from tui.worker_process import evaluator_command

FIRST, TIMES, PLAYERS = 16, 8, 60
TASKS = ("agreement", "capitals", "categories", "opposites")
TARGETS = "2 s idle, 4 s during a sweep"


class Talk:
    """A connection whose events are read one after the other."""

    def __init__(self, connection: client.Connection) -> None:
        self.connection = connection
        self._events = connection.events()

    async def next(self) -> Event:
        return await anext(self._events)

    async def first_number(self, task: str, removed: tuple[int, ...]) -> float:
        start = time.perf_counter()
        await self.connection.send(Toggle(task=task, removed=removed))
        while True:
            event = await self.next()
            if isinstance(event, Scored) and event.point.removed == removed and event.point.n >= FIRST:
                return time.perf_counter() - start


async def measure(store: Path) -> tuple[list[float], list[float]]:
    config = RunConfig.model_validate({"tasks": TASKS, "limit": 48, "schedule": "windows"})
    talk = Talk(await client.connect_or_start(store, evaluator_command(store)))
    await talk.connection.send(Open(config=config))
    while not isinstance(opened := await talk.next(), Opened):
        pass
    task = opened.tasks[0].key
    rng = random.Random(0)
    pairs = [
        (first, first + 10 + rng.randrange(PLAYERS - 10 - first)) for first in rng.sample(range(45), 2 * TIMES + 1)
    ]
    await talk.first_number(task, pairs.pop())  # warm-up
    idle = [await talk.first_number(task, pairs.pop()) for _ in range(TIMES)]
    await talk.connection.send(
        StartJob(config=config.model_copy(update={"tasks": config.tasks[::-1]}), command="bench")
    )
    while not (isinstance(event := await talk.next(), Jobs) and event.jobs and event.jobs[-1].done > 0):
        pass
    busy = []
    for _ in range(TIMES):
        busy.append(await talk.first_number(task, pairs.pop()))
        await asyncio.sleep(1)
    return idle, busy


def main() -> None:
    with TemporaryDirectory() as folder:
        store = Path(folder) / "s.duckdb"
        try:
            idle, busy = asyncio.run(measure(store))
        finally:
            asyncio.run(client.stop(store))
    print(f"a toggle's first number, default model, {FIRST} documents of {TASKS[0]} (asked for: {TARGETS})")
    for name, seconds in {"idle": idle, "during a sweep": busy}.items():
        print(
            f"{name:<15} median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s ({TIMES} coalitions)"
        )
    print(f"during a sweep it takes {statistics.median(busy) / statistics.median(idle):.1f} x as long")


if __name__ == "__main__":
    main()
