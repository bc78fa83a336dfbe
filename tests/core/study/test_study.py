"""A study on a tiny model: the events and outcomes of its phases, and the value they are read by."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.coalitions.players import Removed
from core.config.run_config import load_config
from core.errors import CornerstoneError
from core.evaluator.live_task import LiveTask
from core.records.memory_recorder import MemoryRecorder
from core.records.records import Assignment, DocumentRecord, Outcome, StoredValues
from core.study.events import ChunkRecorded, PhaseFinished, PhaseStarted, StudyEvent, TopLooked
from core.study.listener import Callbacks
from core.study.workbench import run_config
from core.values.value_table import ValueTable
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.other_values import BIASES, PAGES, VALUELESS, biases, pages, valueless


class Remembering(MemoryRecorder):
    """Also keeps what was assigned."""

    def __init__(self) -> None:
        super().__init__()
        self.assigned: list[Assignment] = []

    def assign(self, run_id: str, assignment: Assignment) -> None:
        self.assigned.append(assignment)


def events_of(recorder: MemoryRecorder, model: Path, *tasks: str, **asked: Any) -> list[StudyEvent]:
    config = load_config(None, {"model": str(model), "tasks": list(tasks), **asked})
    return list(run_config(config, "test", recorder))


@pytest.mark.slow
def test_a_phase_starts_records_its_chunks_and_finishes(tiny_model_folder: Path) -> None:
    recorder = Remembering()
    events = events_of(recorder, tiny_model_folder, "agreement", limit=4)
    start, *chunks, end = events
    assert start == PhaseStarted(start.phase, 0)
    assert end == PhaseFinished(start.phase)
    assert all(isinstance(chunk, ChunkRecorded) for chunk in chunks)
    assert [chunk.done for chunk in chunks if isinstance(chunk, ChunkRecorded)][-1] == 4 * 9 == len(recorder.outcomes)
    assert (start.phase.schedule, start.phase.value, start.phase.total) == ("ablation", "acc", 4 * 9)
    (assigned,) = recorder.assigned
    assert (len(assigned.documents), len(assigned.coalitions)) == (4, 9)


@pytest.mark.slow
def test_a_task_without_accuracy_is_read_by_its_first_mean_wherever_it_is_read(
    tiny_model_folder: Path, tmp_path: Path
) -> None:
    recorder = Remembering()
    task = f"{BIASES}={biases(tmp_path)}"
    asked = {"schedule": ["windows"], "until_top": 2, "max_removed": 1}
    events = events_of(recorder, tiny_model_folder, task, **asked)
    (looked,) = [event for event in events if isinstance(event, TopLooked)]
    assert {event.phase.value for event in events} == {"likelihood_diff"}
    assert looked.verdict.documents == 12
    live_task = LiveTask(recorder.assigned[0], recorder.assigned[0].model.players)
    assert live_task.value == looked.phase.value
    live_task.add(recorder.assigned[0], list(recorder.outcomes.values()))
    intact = live_task.coalition(())
    assert intact is not None
    assert intact.acc == pytest.approx(mean_of("likelihood_diff", recorder.outcomes.values()))


def mean_of(value: str, outcomes: Iterable[Outcome]) -> float:
    values = [outcome.metrics[value] for outcome in outcomes if not outcome.removed]
    assert len(values) == 12
    return sum(values) / len(values)


@pytest.mark.slow
def test_a_task_without_any_value_is_stored_and_refused_where_a_schedule_looks_at_one(
    tiny_model_folder: Path, tmp_path: Path
) -> None:
    recorder = MemoryRecorder()
    own = {"include_path": [str(valueless(tmp_path))]}
    assert {event.phase.value for event in events_of(recorder, tiny_model_folder, VALUELESS, **own)} == {None}
    assert len(recorder.outcomes) == 2 * 9
    with pytest.raises(CornerstoneError, match=f"{VALUELESS} has no value: none of its metrics is a mean over docum"):
        events_of(recorder, tiny_model_folder, VALUELESS, **own, until_top=2)


def test_a_value_of_the_corpus_is_read_and_refused_where_documents_are_to_decide(
    tiny_model_folder: Path, tmp_path: Path
) -> None:
    recorder = MemoryRecorder()
    task = f"{PAGES}={pages(tmp_path)}"
    assert {event.phase.value for event in events_of(recorder, tiny_model_folder, task)} == {"bits_per_byte"}
    evaluated = len(recorder.outcomes)
    assert evaluated == 2 * 9
    with pytest.raises(CornerstoneError, match="takes a mean over documents, and bits_per_byte is a ratio of sums"):
        events_of(recorder, tiny_model_folder, task, until_top=2)
    assert len(recorder.outcomes) == evaluated


@pytest.mark.parametrize("value", ["word_perplexity", "bits_per_byte"])
def test_a_schedule_in_rounds_looks_at_the_corpus(value: str, tiny_model_folder: Path, tmp_path: Path) -> None:
    recorder = MemoryRecorder()
    task, settings = f"{PAGES}={pages(tmp_path)}", {"permutations": 8, "tolerance": 0.01}
    events = events_of(recorder, tiny_model_folder, task, schedule=["permutation"], value=value, **settings)
    assert isinstance(events[-1], PhaseFinished)
    assert len(recorder.outcomes) > 2 * 9
    read = estimate_of(events, recorder, value)
    # Another schedule has stored what no walk comes to, and its perplexity is larger than any number.
    every = {one for size in range(9) for one in itertools.combinations(range(8), size)}
    unread = min(every - {removed for _, removed in recorder.outcomes})
    for (document, _), outcome in list(recorder.outcomes.items()):
        huge = {name: [-1e6, weight] for name, (_, weight) in outcome.other.items()}
        recorder.outcomes[document, unread] = replace(outcome, removed=unread, other=huge)
    known = Known(recorder.outcomes)
    events = events_of(known, tiny_model_folder, task, schedule=["permutation"], value=value, **settings)
    assert not known.outcomes, "nothing is evaluated again"
    assert estimate_of(events, recorder, value) == read


class Known(MemoryRecorder):
    """A recorder of a task whose outcomes are stored."""

    def __init__(self, stored: Mapping[tuple[str, Removed], Outcome]) -> None:
        super().__init__()
        self._stored = stored

    def stored(self, assignment: Assignment) -> Mapping[str, frozenset[Removed]]:
        wanted = frozenset(assignment.coalitions)
        return {
            document.key: frozenset(removed for key, removed in self._stored if key == document.key) & wanted
            for document in assignment.documents
        }

    def values(self, assignment: Assignment, metric: str) -> StoredValues:
        table = ValueTable(assignment.documents, metric, assignment.task.mean_metrics)
        table.add(list(self._stored.values()))
        return table.stored(assignment.documents)


def estimate_of(events: Sequence[StudyEvent], recorder: MemoryRecorder, value: str) -> list[float]:
    """Return the Shapley values of the walks, as the values of the corpus make them."""
    phase = events[0].phase
    assert phase.question is not None
    keys = sorted({document for document, _ in recorder.outcomes})
    docs = tuple(DocumentRecord(key, at, (), "", ()) for at, key in enumerate(keys))
    table = ValueTable(docs, value, ())
    table.add(list(recorder.outcomes.values()))
    assert table.ratio is not None
    game = phase.question.of(phase.model.players)
    known, lacking = game.read_complete(table.scores, table.ratio)
    assert not lacking
    return [float(one) for one in game.estimator.contributions(known, game.units).mean(axis=1)]


def test_a_value_that_a_task_lacks_is_refused_before_anything_is_recorded(
    tiny_model_folder: Path, tmp_path: Path
) -> None:
    store = tmp_path / "s.duckdb"
    config = load_config(None, {"model": str(tiny_model_folder), "tasks": ["agreement"], "limit": 2, "value": "f1"})
    with pytest.raises(CornerstoneError, match="agreement has no value 'f1'; it has acc"):
        list(run_config(config, "test", StoreRecorder(store)))
    assert not store.exists()


@pytest.mark.slow
def test_a_listener_follows_a_run_and_can_end_it(tiny_model_folder: Path, tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    said: list[str] = []
    done: list[float] = []

    def stop(outcomes: float) -> None:
        done.append(outcomes)
        if len(done) == 3:
            raise KeyboardInterrupt

    config = load_config(None, {"model": str(tiny_model_folder), "tasks": ["agreement"], "limit": 2})
    with pytest.raises(KeyboardInterrupt):
        list(run_config(config, "test", StoreRecorder(store), Callbacks(said.append, stop)))
    (run,) = Results(store).runs().rows
    assert (run.state, run.outcomes) == ("stopped", 0)
    assert said[-1].startswith(f"run {run.run}: ")
    assert done == sorted(done)
    assert 0 < done[-1] < 2 * 9
