"""Kill -9 processes that record to a store which often refuses, and look what became of what was called safe.

``python -m tests.support.killed_recorder FOLDER KILLS SEED`` prints JSON: kills, safe, lost, twice.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from core.coalitions.schedules import windows
from core.errors import CornerstoneError
from core.recording.orphans import recover
from core.recording.write_behind import WriteBehindRecorder
from core.records.records import Assignment, Outcome
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.store_records import PLAYERS, assignment, documents, outcome, run

CHUNKS = 200
ASKED = assignment(documents(range(CHUNKS)), windows(PLAYERS, 1))


class Refusing(StoreRecorder):
    """Refuses every other write or so, before it is done or after."""

    def record(self, run_id: str, assignment: Assignment, outcomes: Sequence[Outcome]) -> None:
        drawn = random.random()
        if drawn < 0.3:
            raise CornerstoneError("no room")
        super().record(run_id, assignment, outcomes)
        if drawn > 0.8:
            raise OSError("it is not known whether that worked")


def _record(store: Path, run_id: str, told: int) -> None:
    """Record one document after the other; tell the number of each once it is called safe."""
    recorder = WriteBehindRecorder(Refusing(store, 1.0), store, patient=StoreRecorder(store, 20.0))
    recorder.begin(run(run_id))
    recorder.assign(run_id, ASKED)
    for number, document in enumerate(ASKED.documents):
        recorder.record(run_id, ASKED, [outcome(document.key, removed) for removed in ASKED.coalitions])
        os.write(told, b"%d\n" % number)
    os._exit(0)


def main(folder: str, kills: str, seed: str) -> None:
    """Kill so many recorders, each of a store of its own, and print what was lost or stored twice."""
    draw = random.Random(int(seed))
    safe = lost = twice = 0
    for number in range(int(kills)):
        store = Path(folder) / f"{number}.duckdb"
        heard, told = os.pipe()
        child = os.fork()
        if child == 0:
            random.seed(number)
            _record(store, f"run{number}", told)
        os.close(told)
        with os.fdopen(heard, "rb") as pipe:
            first = pipe.readline()  # its beginning is not what is tried here
            time.sleep(draw.uniform(0, 0.4))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            lines = [first, *pipe.readlines()]
        list(recover(store, StoreRecorder(store, 20.0)))
        rows = Results(store).outcomes().rows
        there = {(row.doc_id, row.removed) for row in rows}
        wanted = {(int(line), removed) for line in lines if line.endswith(b"\n") for removed in ASKED.coalitions}
        safe, lost, twice = safe + len(wanted), lost + len(wanted - there), twice + len(rows) - len(there)
    json.dump({"kills": int(kills), "safe": safe, "lost": lost, "twice": twice}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
