"""Chunks by workers: the outcomes are those of one process, whoever is lost, and what fails is named and skipped."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from core.coalitions.players import Removed
from core.config.run_config import load_config
from core.errors import CornerstoneError, IncompleteError
from core.records.memory_recorder import MemoryRecorder
from core.records.records import Assignment
from core.study.events import (
    ChunkRecorded,
    DocumentsSkipped,
    PhaseFinished,
    StudyEvent,
    TopLooked,
    TopVerdict,
    WorkersChanged,
)
from core.study.listener import SILENT, Callbacks, Listener
from core.study.plan import schedules_of
from core.study.workbench import Crewing, new_run, open_workbench, run_config, without_workers
from core.study.worker_view import WorkerView
from core.workers.messages import Work
from tests.support.worker_threads import InThreads

LIMIT = 12
COALITIONS = 9 + 7
RACE: dict[str, Any] = {
    "schedule": ["windows"],
    "max_removed": 2,
    "value": "gold_logprob_norm",
    "until_top": 3,
    "limit": None,
}


class Once(MemoryRecorder):
    """Also says what is stored, so that a further run goes on from there; an outcome that comes twice is an error."""

    def stored(self, assignment: Assignment) -> Mapping[str, frozenset[Removed]]:
        found = defaultdict[str, set[Removed]](set)
        for document, removed in self.outcomes:
            found[document].add(removed)
        return {document: frozenset(sets) for document, sets in found.items()}


def run(
    model: Path,
    crewing: Crewing = without_workers,
    recorder: MemoryRecorder | None = None,
    listener: Listener = SILENT,
    **asked: Any,
) -> tuple[MemoryRecorder, list[StudyEvent]]:
    kept = Once() if recorder is None else recorder
    keys = {"model": str(model), "tasks": ["agreement"], "limit": LIMIT, "schedule": ["windows"], "max_removed": 2}
    config = load_config(None, keys | asked)
    return kept, list(run_config(config, "test", kept, listener, crewing))


def same(found: MemoryRecorder, expected: MemoryRecorder) -> bool:
    assert found.outcomes.keys() == expected.outcomes.keys()
    for key, outcome in found.outcomes.items():
        assert outcome.logprobs == pytest.approx(expected.outcomes[key].logprobs, abs=1e-4)
    return True


@pytest.fixture(scope="module")
def alone(tiny_model_folder: Path) -> MemoryRecorder:
    return run(tiny_model_folder)[0]


@pytest.mark.slow
def test_three_workers_find_what_one_process_finds(tiny_model_folder: Path, alone: MemoryRecorder) -> None:
    draw = random.Random(0)
    crew = InThreads(3, pace=lambda: draw.uniform(0, 0.05))
    told: list[Sequence[WorkerView]] = []
    found, events = run(tiny_model_folder, crew, listener=Callbacks(on_workers=told.append))
    assert same(found, alone)
    assert [(event.ready, event.wanted) for event in events if isinstance(event, WorkersChanged)] == [(3, 3)]
    chunks = [event.done for event in events if isinstance(event, ChunkRecorded)]
    assert len(chunks) >= 3 * 4
    assert chunks[-1] == LIMIT * COALITIONS
    assert crew.said == []
    assert sum(worker.outcomes for worker in told[-1]) == LIMIT * COALITIONS
    assert all(worker.rate > 0 and worker.host for worker in told[-1])


@pytest.mark.slow
def test_lost_workers_change_nothing(tiny_model_folder: Path, alone: MemoryRecorder) -> None:
    draw = random.Random(1)
    lost = Counter[int]()

    def loses(work: Work) -> bool:
        if draw.random() < 0.3 and lost[work.number] < 2:
            lost[work.number] += 1
            return True
        return False

    crew = InThreads(2, loses)
    found, events = run(tiny_model_folder, crew)
    assert lost
    assert same(found, alone)
    assert len(crew.said) == lost.total()
    assert any(event.ready < 2 for event in events if isinstance(event, WorkersChanged))
    assert crew.link is not None
    assert crew.link.hired == 2 + lost.total()


@pytest.mark.slow
def test_a_chunk_that_fails_three_times_is_named_and_skipped_and_the_next_run_does_it(
    tiny_model_folder: Path, alone: MemoryRecorder
) -> None:
    bad = sorted({outcome.document for outcome in alone.outcomes.values()})[4]
    tried = Counter[tuple[str, ...]]()

    def loses(work: Work) -> bool:
        tried[work.documents] += bad in work.documents
        return bad in work.documents

    kept = Once()
    with pytest.raises(IncompleteError, match=r"^incomplete, \d+ documents? of agreement .*its process ended"):
        run(tiny_model_folder, InThreads(2, loses), kept)
    ((skipped, times),) = ((documents, count) for documents, count in tried.items() if count)
    assert times == 3
    assert {outcome.document for outcome in kept.outcomes.values()}.isdisjoint(skipped)
    assert len(kept.outcomes) == (LIMIT - len(skipped)) * COALITIONS
    run(tiny_model_folder, InThreads(1), kept)
    assert same(kept, alone)


@pytest.mark.slow
def test_the_sentence_of_an_incomplete_study_counts_documents_of_each_task(tiny_model_folder: Path) -> None:
    seen: list[StudyEvent] = []
    config = load_config(
        None,
        {"model": str(tiny_model_folder), "tasks": ["agreement", "capitals"], "limit": 4, "schedule": ["ablation"]},
    )
    bench = open_workbench(config)
    bad = {task.documents[1].record.key for task in bench.tasks}
    said: list[str] = []
    crew = InThreads(1, lambda work: not bad.isdisjoint(work.documents))
    with pytest.raises(IncompleteError, match=r"^incomplete, 1 document of capitals") as caught:
        seen.extend(run_config(config, "test", Once(), Callbacks(said.append), crew))
    assert str(bench.tasks[1].documents[1].record.doc_id) in str(caught.value)
    assert any(sentence.startswith("incomplete, 1 document of agreement") for sentence in said)
    assert [event.documents for event in seen if isinstance(event, DocumentsSkipped)] == [1, 1]
    assert len([event for event in seen if isinstance(event, PhaseFinished)]) == 2


@pytest.mark.slow
def test_chunk_after_chunk_that_fails_ends_the_work(tiny_model_folder: Path) -> None:
    with pytest.raises(CornerstoneError, match=r"3 chunks in a row failed 3 times each: .*its process ended"):
        run(tiny_model_folder, InThreads(2, lambda _work: True))


@pytest.mark.slow
@pytest.mark.parametrize("lossy", [False, True])
def test_a_race_has_the_verdicts_of_one_process(tiny_model_folder: Path, *, lossy: bool) -> None:
    draw = random.Random(2)
    lost = Counter[int]()

    def loses(work: Work) -> bool:
        if not lossy or draw.random() > 0.1 or lost[work.number]:
            return False
        lost[work.number] += 1
        return True

    expected, events = run(tiny_model_folder, **RACE)
    found, raced = run(tiny_model_folder, InThreads(3, loses, lambda: draw.uniform(0, 0.03)), **RACE)

    def verdict(of: list[StudyEvent]) -> TopVerdict:
        *_, last = (event.verdict for event in of if isinstance(event, TopLooked))
        return last

    assert bool(lost) == lossy
    assert set(verdict(raced).undecided) == set(verdict(events).undecided)
    assert verdict(raced).inside == verdict(events).inside
    for key in found.outcomes.keys() & expected.outcomes.keys():
        assert found.outcomes[key].logprobs == pytest.approx(expected.outcomes[key].logprobs, abs=1e-4)


@pytest.mark.slow
def test_tasks_that_take_turns_share_the_workers(tiny_model_folder: Path) -> None:
    config = load_config(
        None, {"model": str(tiny_model_folder), "tasks": ["agreement", "capitals"], "limit": 8, "schedule": "ablation"}
    )
    bench = open_workbench(config)
    recorders = Once(), Once()
    schedules = schedules_of(config, bench.model.players)
    names: list[str] = []
    for recorder, crewing in zip(recorders, (without_workers, InThreads(2)), strict=True):
        record = new_run(config, "test")
        recorder.begin(record)
        with crewing(bench, config, Callbacks()) as crewed:
            names = [
                event.phase.task.name
                for event in crewed.study(crewed.tasks, schedules).run(record.run_id, recorder, in_turn=True)
                if isinstance(event, ChunkRecorded)
            ]
    assert same(recorders[1], recorders[0])
    assert len(recorders[1].outcomes) == 2 * 8 * 9
    assert names[:2] == ["agreement", "capitals"]


@pytest.mark.slow
def test_what_ends_the_work_is_raised_while_workers_evaluate_and_no_chunk_is_left_behind(
    tiny_model_folder: Path,
) -> None:
    calls = 0

    def on_batch(_done: float) -> None:
        nonlocal calls
        calls += 1
        if calls > 3:
            raise KeyboardInterrupt

    crew = InThreads(2, pace=lambda: 0.2)
    config = load_config(None, {"model": str(tiny_model_folder), "tasks": ["agreement"], "limit": LIMIT})
    with pytest.raises(KeyboardInterrupt):
        list(run_config(config, "test", Once(), Callbacks(on_batch=on_batch), crew))
