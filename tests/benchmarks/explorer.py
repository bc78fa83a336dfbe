"""How soon the explorer paints and answers a key, its memory, and its output: idle, and beside a sweep on all cores.

The real program in a pseudo-terminal of 120 x 35, the default model, a windows sweep in its evaluator. A key's answer
is the first output that puts the new player's name into the line below the layer grid.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from core.coalitions.players import players_of
from core.config.run_config import RunConfig
from core.evaluator import client
from core.evaluator.protocol import Jobs, StartJob
from tui.worker_process import evaluator_command

COLUMNS, ROWS = 120, 35
STARTS, KEYS = 5, 60
WATCHED_S = 20.0
PATIENCE_S = 60.0
DETAIL_ROW = 6
MOVES = re.compile(rb"\x1b\[(\d+);\d+H")
TARGETS = (
    "first paint <= 1 s, with stored results <= 1.2 s, key to paint p95 <= 100 ms, memory < 150 MB, < 12 kB/s beside a "
    "sweep, 0 B/s idle"
)


class Terminal:
    """The explorer in a pseudo-terminal of its own."""

    def __init__(self, store: Path) -> None:
        self.started = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            program = [sys.executable, "-P", "-c", "from tui.cli import main; main()", "--store", str(store)]
            os.execve(sys.executable, program, {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def press(self, key: bytes) -> None:
        os.write(self._fd, key)

    def until(self, seen: Callable[[bytes], bool]) -> float:
        """Return the seconds until the output satisfies ``seen``."""
        start, output = time.perf_counter(), b""
        while not seen(output):
            if time.perf_counter() - start > PATIENCE_S:
                raise TimeoutError(output[-2000:])
            if select.select([self._fd], [], [], 0.5)[0]:
                output += os.read(self._fd, 65536)
        return time.perf_counter() - start

    def drain(self, seconds: float) -> int:
        """Read for so long; return the number of bytes that came."""
        end, count = time.perf_counter() + seconds, 0
        while (left := end - time.perf_counter()) > 0:
            if select.select([self._fd], [], [], left)[0]:
                count += len(os.read(self._fd, 65536))
        return count

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._fd)


@dataclass(frozen=True)
class Figures:
    first_paint: list[float]
    with_results: list[float]
    keys: list[float]
    memory: int
    bytes_a_second: float


def measure(store: Path) -> Figures:
    paints, results = [], []
    for _ in range(STARTS):
        terminal = Terminal(store)
        terminal.until(lambda output: b"Layers" in output)
        paints.append(time.perf_counter() - terminal.started)
        terminal.until(lambda output: b"60 players" in output)
        results.append(time.perf_counter() - terminal.started)
        terminal.close()
    terminal = Terminal(store)
    try:
        terminal.until(lambda output: b"60 players" in output)
        terminal.drain(2.0)
        keys = [_answer(terminal, place) for place in _walk(KEYS)]
        memory = psutil.Process(terminal.pid).memory_info().rss
        output = terminal.drain(WATCHED_S) / WATCHED_S
    finally:
        terminal.close()
    return Figures(paints, results, keys, memory, output)


def _walk(steps: int) -> list[tuple[bytes, str]]:
    """Return keys, each with the player that it leads to: right to the last layer, then left again."""
    labels = [player.label for player in players_of([("attn", "ffn")] * 30) if player.kind == "attn"]
    there = [(b"\x1b[C", label) for label in labels[1:]]
    back = [(b"\x1b[D", label) for label in reversed(labels[:-1])]
    return ((there + back) * (steps // 58 + 1))[:steps]


def _answer(terminal: Terminal, step: tuple[bytes, str]) -> float:
    key, label = step
    terminal.press(key)
    took = terminal.until(lambda output: _names(output, label.encode()))
    terminal.drain(0.1)  # a person's pace
    return took


def _names(output: bytes, label: bytes) -> bool:
    parts = MOVES.split(output)
    return any(int(row) == DETAIL_ROW and label in text for row, text in zip(parts[1::2], parts[2::2], strict=True))


async def _sweep(store: Path, config: RunConfig) -> client.Connection:
    """Start a sweep and return when it runs."""
    connection = await client.connect_or_start(store, evaluator_command(store))
    await connection.send(StartJob(config=config, command="benchmark"))
    async for event in connection.events():
        if isinstance(event, Jobs) and event.jobs and event.jobs[-1].done > 0:
            return connection
    raise RuntimeError("the evaluator is gone")


async def _both(store: Path) -> tuple[Figures, Figures]:
    quick = RunConfig.model_validate({"tasks": "agreement", "limit": 8, "schedule": "windows"})
    connection = await _sweep(store, quick)
    async for event in connection.events():
        if isinstance(event, Jobs) and event.jobs[-1].state == "finished":
            break
    await connection.close()
    idle = await asyncio.to_thread(measure, store)
    tasks = ("agreement", "capitals", "categories", "opposites")
    connection = await _sweep(store, RunConfig.model_validate({"tasks": tasks, "schedule": "windows"}))
    await connection.close()
    return idle, await asyncio.to_thread(measure, store)


def main() -> None:
    with TemporaryDirectory() as folder:
        store = Path(folder) / "s.duckdb"
        try:
            idle, busy = asyncio.run(_both(store))
        finally:
            asyncio.run(client.stop(store))
    print(f"explorer, default model, {COLUMNS} x {ROWS}, {os.cpu_count()} cores ({TARGETS})")
    for name, figures in {"idle": idle, "beside a sweep": busy}.items():
        p95 = statistics.quantiles(figures.keys, n=20)[-1]
        print(
            f"{name:<15} first paint {statistics.median(figures.first_paint):.2f} s, with stored results "
            f"{statistics.median(figures.with_results):.2f} s (medians of {STARTS}), key to paint median "
            f" {statistics.median(figures.keys) * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms ({KEYS} keys), "
            f"memory {figures.memory / 1e6:.0f} MB, {figures.bytes_a_second / 1e3:.1f} kB/s to the terminal"
        )
    ratio = statistics.median(busy.keys) / statistics.median(idle.keys)
    print(f"a key takes {ratio:.1f} x as long beside the sweep")


if __name__ == "__main__":
    main()
