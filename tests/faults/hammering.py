"""A program that writes to a store, or reads from it, again and again until its time is over.

``python -m tests.faults.hammering JSON``, where JSON has the fields of ``Hammering``. It is light: no torch.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from core.machine.process import here
from core.records.records import RunRecord
from store.recorder import StoreRecorder
from store.results import Results
from tests.faults.work import Work, work
from tui.commands.exit import for_people

_DOCUMENTS = 8
_CHUNKS = 4
_SEEDS_EACH = 10_000


@dataclass(frozen=True, slots=True)
class Hammering:
    """What to do to a store, and how long.

    Attributes:
        store: the file.
        reads: read instead of write.
        number: which of the processes this is. Numbers 2k and 2k + 1 record the same outcomes.
        seed: of the harness.
        seconds: how long.
        acknowledged: a file that gets a line for each chunk that is safe: the seed of its work, and its number.
    """

    store: str
    reads: bool
    number: int
    seed: int
    seconds: float
    acknowledged: str

    @property
    def arguments(self) -> list[str]:
        """The arguments of the Python that does it."""
        return ["-m", "tests.faults.hammering", json.dumps(asdict(self))]

    def works(self) -> Iterator[tuple[int, Work]]:
        """Yield what this process records, with the seed of each."""
        first = (self.seed * 1000 + self.number // 2) * _SEEDS_EACH
        for seed in range(first, first + _SEEDS_EACH):
            yield seed, work(seed, model=f"model {self.number // 2}", documents=_DOCUMENTS, chunks=_CHUNKS)


def main(asked: Hammering) -> None:
    """Write or read until the time is over."""
    deadline = time.monotonic() + asked.seconds
    if asked.reads:
        _read(Path(asked.store), deadline)
    else:
        _write(asked, deadline)


def _write(asked: Hammering, deadline: float) -> None:
    notes = os.open(asked.acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    recorder = StoreRecorder(Path(asked.store))
    for seed, to_do in asked.works():
        run = f"run {asked.number} {seed}"
        recorder.begin(RunRecord(run, "cornerstone run --task capitals", "{}", json.dumps(here()), 0))
        recorder.assign(run, to_do.assignment)
        for number, chunk in enumerate(to_do.chunks, 1):
            recorder.record(run, to_do.assignment, chunk)
            os.write(notes, f"{seed} {number}\n".encode())
        recorder.finish(run, "finished")
        if time.monotonic() > deadline:
            return


def _read(store: Path, deadline: float) -> None:
    results = Results(store)
    while time.monotonic() < deadline:
        results.runs()
        results.groups()
        results.outcomes()


if __name__ == "__main__":
    with for_people():
        main(Hammering(**json.loads(sys.argv[1])))
