"""A program that records made-up outcomes through the product's own recorders. The harness kills it.

``python -m tests.faults.recording JSON``, where JSON has the fields of ``Recording``. It is light: no torch.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from core.machine.process import here
from core.recording.write_behind import WriteBehindRecorder
from core.records.records import Outcome, Recorder, RunRecord
from store.recorder import StoreRecorder
from tests.faults.work import Work, work
from tui.commands.exit import for_people

START, COMMIT = "start", "commit"


@dataclass(frozen=True, slots=True)
class Recording:
    """What to record, where, and what to tell the harness.

    Attributes:
        store: the file to record to.
        seed: of the work.
        run: the run's id.
        acknowledged: a file that gets the number of the chunks that are safe, whenever it grows.
        channel: a named pipe that gets one byte when the moment has come; empty for none.
        moment: the start, or a commit.
        commit: which commit, counted from 1.
        behind: record through the write-behind queue of the evaluator.
        patience: seconds to wait for a store that another process holds.
        model: the model's name, which its fingerprint is made of.
        file_limit: the largest size of a file in bytes at first, as ``ulimit -f`` sets it; 0 for none.
    """

    store: str
    seed: int
    run: str
    acknowledged: str
    channel: str = ""
    moment: str = START
    commit: int = 1
    behind: bool = False
    patience: float = 30.0
    model: str = "tiny"
    file_limit: int = 0

    @property
    def arguments(self) -> list[str]:
        """The arguments of the Python that does it."""
        return ["-m", "tests.faults.recording", json.dumps(asdict(self))]


def main(asked: Recording) -> None:
    """Record the work. Outcomes that are stored already are left out, as a run leaves them out."""
    if asked.file_limit:
        _limit_files(asked.file_limit)
    to_do = work(asked.seed, model=asked.model)
    acknowledge = _acknowledging(Path(asked.acknowledged))
    tell = _telling(asked.channel)
    if asked.moment == COMMIT:
        _tell_of_commit(asked.commit, tell)
    else:
        tell()
    recorder = StoreRecorder(Path(asked.store), asked.patience)
    if asked.behind:
        _record_behind(Path(asked.store), recorder, asked.run, to_do, acknowledge)
    else:
        _record(recorder, asked.run, to_do, acknowledge)


def _record(recorder: Recorder, run: str, to_do: Work, acknowledge: Callable[[int], None]) -> None:
    recorder.begin(_run_record(run))
    recorder.assign(run, to_do.assignment)
    there = recorder.stored(to_do.assignment)
    for number, chunk in enumerate(to_do.chunks, 1):
        new = [outcome for outcome in chunk if outcome.removed not in there.get(outcome.document, ())]
        if new:
            recorder.record(run, to_do.assignment, new)
        acknowledge(number)
    recorder.finish(run, "finished")


def _record_behind(store: Path, recorder: Recorder, run: str, to_do: Work, acknowledge: Callable[[int], None]) -> None:
    """Record through the queue; a chunk is safe once the queue has written it."""
    sizes: list[int] = []
    lock = threading.Lock()

    def tell_what_is_safe() -> None:
        with lock:
            written = sum(sizes) - queue.unsaved
            safe = 0
            while safe < len(sizes) and sum(sizes[: safe + 1]) <= written:
                safe += 1
        if safe:
            acknowledge(safe)

    queue = WriteBehindRecorder(recorder, store, on_change=tell_what_is_safe)
    queue.begin(_run_record(run))
    queue.assign(run, to_do.assignment)
    there = recorder.stored(to_do.assignment)
    for chunk in to_do.chunks:
        new: list[Outcome] = [outcome for outcome in chunk if outcome.removed not in there.get(outcome.document, ())]
        queue.record(run, to_do.assignment, new)
        with lock:  # counted when it is in the queue, so that nothing counts as written too early
            sizes.append(len(new))
    queue.finish(run, "finished")
    left = queue.close(60.0)
    if left.outcomes:
        sys.exit(f"{left.outcomes} outcomes are not written")
    acknowledge(len(to_do.chunks))


def _run_record(run: str) -> RunRecord:
    return RunRecord(run, "cornerstone run --task capitals", "{}", json.dumps(here()), 0)


def _acknowledging(path: Path) -> Callable[[int], None]:
    """Return a function that notes how many chunks are safe. What it wrote outlives a kill."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return lambda chunks: (os.write(descriptor, f"{chunks}\n".encode()), None)[1]


def acknowledged(path: Path) -> int:
    """Return how many chunks a recording program has called safe."""
    text = path.read_text(encoding="ascii") if path.exists() else ""
    return max((int(line) for line in text.splitlines()), default=0)


def _telling(channel: str) -> Callable[[], None]:
    if not channel:
        return lambda: None
    descriptor = os.open(channel, os.O_WRONLY)
    return lambda: (os.write(descriptor, b"!"), None)[1]


def _tell_of_commit(wanted: int, tell: Callable[[], None]) -> None:
    """Let every connection count its commits, and tell when the wanted one begins."""
    connect = duckdb.connect
    commits = 0

    class _Announcing:
        def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
            self._connection = connection

        def commit(self) -> object:
            self._count()
            return self._connection.commit()

        def execute(self, query: Any, *parameters: Any, **more: Any) -> object:
            if isinstance(query, str) and query.strip().upper().startswith("COMMIT"):
                self._count()
            return self._connection.execute(query, *parameters, **more)

        def _count(self) -> None:
            nonlocal commits
            commits += 1
            if commits == wanted:
                tell()

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            self._connection.close()

        def __getattr__(self, name: str) -> Any:
            return getattr(self._connection, name)

    def announcing(*given: Any, **more: Any) -> Any:
        return _Announcing(connect(*given, **more))

    vars(duckdb)["connect"] = announcing


def _limit_files(size: int) -> None:
    """Let writes beyond a size fail, as on a full disk, until the harness raises the limit."""
    import resource
    import signal

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


if __name__ == "__main__":
    with for_people():
        main(Recording(**json.loads(sys.argv[1])))
