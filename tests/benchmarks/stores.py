"""How soon results and documents are read where the store is large: 1 and 10 million outcomes.

The outcomes are made in SQL, with log-probabilities drawn at random: reading them costs the same as real ones.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from core.coalitions.players import Kinds, Removed
from core.coalitions.schedules import windows
from core.records.records import Assignment, DataRecord, DocumentRecord, ModelRecord, RunRecord, TaskRecord
from store.recorder import StoreRecorder
from store.results import Page, Results, Selection
from store.tables import tables
from tui.explorer.browser_tables import read_listing
from tui.explorer.scope import Scope

MILLION = 1_000_000
DOCUMENTS = 1_000
KINDS: Kinds = (("attn", "ffn"),) * 30
PAGES, PAGE = 20, 500
TARGETS = "results of 1 M outcomes <= 1 s, a page of documents of 10 M < 100 ms"

_OUTCOMES = """
    INSERT INTO outcomes
    SELECT model, document, coalition, run, logprobs, [p = list_max(logprobs) FOR p IN logprobs],
           (random() < .5)::INTEGER, (random() < .5)::INTEGER, NULL, NULL
    FROM (SELECT a.model, d.document, c.coalition, a.run,
                 [-9 * random(), -9 * random(), -9 * random(), -9 * random()] AS logprobs
          FROM assignments a JOIN members m ON m.dataset = a.dataset JOIN documents d ON d.document = m.document
          CROSS JOIN coalitions c)
"""


def main() -> None:
    print(f"large stores, one model, tasks of {DOCUMENTS} documents, {os.cpu_count()} cores ({TARGETS})")
    with TemporaryDirectory() as folder:
        for millions in (1, 10):
            store = Path(folder) / f"{millions}.duckdb"
            outcomes = fill(store, millions * MILLION)
            print(f"{outcomes / MILLION:.1f} M outcomes, {store.stat().st_size / 1e6:.0f} MB")
            tables_of(store)
            pages_of(store)


def tables_of(store: Path) -> None:
    """Print how long each table of one task takes, read as the explorer does."""
    group = Results(store).groups().rows[0]
    scope = Scope(group.model_id, group.task_id)
    for name, table in tables().items():
        if table.listed:
            took = _seconds(partial(read_listing, store, table, scope))
            print(f"  {name:<14} {statistics.median(took):.2f} s (longest {max(took):.2f})")


def pages_of(store: Path) -> None:
    """Print how long a page of a coalition's documents takes."""
    group = Results(store).groups().rows[0]
    selection = Selection(model=group.model_id, task=group.task_id)
    rng = random.Random(0)
    coalitions = windows(2 * len(KINDS))

    def page() -> None:
        found = Results(store).documents(selection, rng.choice(coalitions), page=Page(offset=PAGE, limit=PAGE))
        assert len(found.rows) == PAGE

    took = _seconds(page, PAGES)
    print(
        f"  a page of {PAGE} documents: median {statistics.median(took) * 1e3:.0f} ms, longest {max(took) * 1e3:.0f} ms"
    )


def _seconds(work: Callable[[], object], times: int = 3) -> list[float]:
    took = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        took.append(time.perf_counter() - start)
    return took


def fill(path: Path, outcomes: int) -> int:
    """Make a store with about so many outcomes: tasks of 1000 documents, one model, all windows. Return the number."""
    recorder = StoreRecorder(path)
    coalitions = [(), *windows(2 * len(KINDS))]
    model = ModelRecord("model", "model", "made", None, "float32", "llama", KINDS)
    recorder.begin(RunRecord("benchmark", "benchmark", "{}", "{}", 0))
    for number in range(max(round(outcomes / len(coalitions) / DOCUMENTS), 1)):
        recorder.assign("benchmark", _assignment(model, number, coalitions))
    recorder.finish("benchmark", "finished")
    with duckdb.connect(path) as db:
        db.execute(_OUTCOMES)
        (count,) = db.execute("SELECT count(*) FROM outcomes").fetchone() or (0,)
    return int(count)


def _assignment(model: ModelRecord, number: int, coalitions: Sequence[Removed]) -> Assignment:
    name = f"task {number}"
    prompt = "A question of some length, as benchmarks have them, with a few sentences of context before it. " * 3
    documents = [
        DocumentRecord(f"{name}, {i}", i, (i % 4,), f"{prompt}{name}, {i}", ("one", "another", "a third", "the last"))
        for i in range(DOCUMENTS)
    ]
    task = TaskRecord(name, name, "1", 0, False, "multiple_choice", ("acc", "acc_norm"), ())
    return Assignment(model, task, DataRecord(name, f"{name}.jsonl", DOCUMENTS), documents, coalitions)


if __name__ == "__main__":
    main()
