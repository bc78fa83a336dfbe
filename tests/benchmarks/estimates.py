"""How long all estimates of a large stored study take: 160 players, 6 tasks, 10 000 documents, 2 000 bootstrap draws.

The study is made up, in the store's own tables: a document has its luck, and a coalition its rate of right answers.
Reading runs in a process of its own, so that its peak of memory is that of reading alone.
"""

from __future__ import annotations

import hashlib
import math
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from core.coalitions.players import Kinds, Removed
from core.coalitions.schedules import windows
from core.estimators.estimate import DRAWS
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.question import Question
from core.estimators.registry import estimator_named, window_readings
from core.records.records import Assignment, DataRecord, DocumentRecord, ModelRecord, RunRecord, TaskRecord
from store.file.database import writing
from store.reading.answer import Answer
from store.recorder import StoreRecorder
from store.results import Results
from store.rows import AblationRow, ShapleyRow

PLAYERS, TASKS, DOCUMENTS = 160, 6, 10_000
TARGETS = "5 s and 2 GiB"


def main() -> None:
    with TemporaryDirectory() as folder:
        store = Path(folder) / "results.duckdb"
        start = time.perf_counter()
        make(store)
        outcomes = DOCUMENTS * len(windows(PLAYERS))
        print(f"estimates of {PLAYERS} players, {TASKS} tasks, {DOCUMENTS} documents, {DRAWS} draws")
        print(f"  {outcomes / 1e6:.2f} million outcomes made up in {time.perf_counter() - start:.0f} s", flush=True)
        subprocess.run([sys.executable, "-m", __spec__.name, str(store)], check=True)


def make(store: Path) -> None:
    """Store a finished run of all windows, its outcomes written in bulk."""
    model = ModelRecord(_digest("model"), "made up", "nowhere", None, "float32", "llama", _kinds())
    recorder = StoreRecorder(store)
    recorder.begin(RunRecord("bench", "cornerstone run", "{}", "{}", 0))
    for number in range(TASKS):
        recorder.assign("bench", _assignment(model, number))
    coalitions = windows(PLAYERS)
    with writing(store) as db:
        db.execute(
            """INSERT INTO outcomes
            WITH rates AS (SELECT unnest(?::INTEGER[][]) AS removed, unnest(?::DOUBLE[]) AS rate),
            luck AS (
                SELECT d.document, c.coalition, rate, hash(d.document) / 18446744073709551616.0 AS own,
                       hash(d.document, c.coalition) / 18446744073709551616.0 AS other
                FROM documents d, coalitions c JOIN rates ON rates.removed = c.removed
            ), answers AS (
                SELECT document, coalition, other,
                       (CASE WHEN other < 0.3 THEN other / 0.3 ELSE own END < rate)::DOUBLE AS hit FROM luck
            )
            SELECT (SELECT model FROM models), document, coalition, 'bench',
                   [-10 - other, -11 - other, -12 - other, -13 - other], [false, false, false, false],
                   hit, hit, NULL, NULL
            FROM answers ORDER BY document, coalition""",
            [[list(removed) for removed in coalitions], [_rate(removed) for removed in coalitions]],
        )
    recorder.finish("bench", "finished")


def measure(store: Path) -> None:
    """Time every estimate that all windows allow, asked for together, and the drops of the ablation."""
    start = time.perf_counter()
    results = Results(store)
    names = (*window_readings(), LeaveOneOut.name)
    _say(", ".join(names), results.answers([Question(estimator_named(name)) for name in names]), start)
    _say("drops", results.ablation(), start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"  together: {time.perf_counter() - start:.2f} s, {peak:.2f} GiB at most (target: {TARGETS})")


def _say(name: str, answer: Answer[ShapleyRow] | Answer[AblationRow], start: float) -> None:
    print(f"  {name}: {len(answer.rows)} values, {time.perf_counter() - start:.2f} s since the start", flush=True)
    for gap in answer.gaps:
        print(f"  left out: {gap}")


def _rate(removed: Removed) -> float:
    """Return the rate of right answers; the first players carry the model."""
    return 0.25 + 0.6 * math.exp(-sum(1.5 / (1 + player**2) for player in removed))


def _assignment(model: ModelRecord, number: int) -> Assignment:
    name = f"task {number}"
    task = TaskRecord(_digest(name), name, "1", 0, False, "multiple_choice", ("acc", "acc_norm"), ())
    size = DOCUMENTS // TASKS + (number < DOCUMENTS % TASKS)
    documents = [DocumentRecord(f"{number}-{i}", i, (0,), f"question {i}", tuple("abcd")) for i in range(size)]
    return Assignment(model, task, DataRecord(_digest(name, "data"), name, size), documents, windows(PLAYERS))


def _kinds() -> Kinds:
    return (("attn", "ffn"),) * (PLAYERS // 2)


def _digest(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(Path(sys.argv[1]))
    else:
        main()
