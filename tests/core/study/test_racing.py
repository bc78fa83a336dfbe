"""Racing: what is decided costs no more documents, and the outcomes are those of a run without a race."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from core.coalitions.players import Removed
from core.config.run_config import load_config
from core.errors import CornerstoneError
from core.estimators.windows import WindowFirst
from core.records.memory_recorder import MemoryRecorder
from core.records.records import Recorder
from core.study.events import ChunkRecorded, CostLooked, CostVerdict, StudyEvent, TopLooked, TopVerdict
from core.study.running_estimate import RunningEstimate
from core.study.workbench import run_config
from store.recorder import StoreRecorder
from store.results import Results, Selection

WINDOWS = {"schedule": ["windows"], "max_removed": 2, "value": "gold_logprob_norm"}
RACE = {**WINDOWS, "until_top": 3}
UNITS = 8


def run(recorder: Recorder, model: Path, **asked: Any) -> list[StudyEvent]:
    config = load_config(None, {"model": str(model), "tasks": ["agreement"], **asked})
    return list(run_config(config, "test", recorder))


def costs(events: list[StudyEvent]) -> list[CostVerdict]:
    return [event.verdict for event in events if isinstance(event, CostLooked)]


def looks(events: list[StudyEvent]) -> list[TopVerdict]:
    return [event.verdict for event in events if isinstance(event, TopLooked)]


@pytest.fixture(scope="module")
def raced(tiny_model_folder: Path) -> tuple[MemoryRecorder, list[TopVerdict]]:
    recorder = MemoryRecorder()
    return recorder, looks(run(recorder, tiny_model_folder, **RACE))


def test_what_is_decided_is_evaluated_no_further(raced: tuple[MemoryRecorder, list[TopVerdict]]) -> None:
    recorder, (*before, last) = raced
    documents = Counter(outcome.removed for outcome in recorder.outcomes.values())
    assert len(before) > 1
    assert (last.final, last.documents) == (True, last.asked)
    labels = [f"{kind} {layer}" for layer in range(UNITS // 2) for kind in ("Attn", "FFN")]
    windows = WindowFirst(2)
    unsettled = set(labels)
    reached = dict.fromkeys(windows.coalitions(UNITS), last.asked)
    for verdict in before:
        assert set(verdict.undecided) < unsettled, "what is decided stays decided"
        unsettled = set(verdict.undecided)
        needed = {one for at, label in enumerate(labels) if label in unsettled for one in windows.needs(at, UNITS)}
        for removed in reached.keys() - needed:
            reached[removed] = min(reached[removed], verdict.documents)
    assert documents == reached
    assert min(documents.values()) < last.asked


@pytest.mark.parametrize("meanwhile", [slice(1), slice(1, 2)])
def test_coalitions_that_are_wanted_again_are_evaluated_in_the_same_run(
    meanwhile: slice, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verdicts are open again where documents turn out to decide nothing; what was left out by then is done."""
    asked = 0

    def still_needed(_: RunningEstimate, coalitions: Sequence[Removed]) -> tuple[Removed, ...]:
        nonlocal asked
        asked += 1
        return tuple(coalitions)[slice(2) if asked == 1 else meanwhile if asked == 2 else slice(2)]

    monkeypatch.setattr(RunningEstimate, "still_needed", still_needed)
    recorder = MemoryRecorder()
    (*_, last) = looks(run(recorder, tiny_model_folder, **RACE))
    assert asked > 3
    documents = Counter(outcome.removed for outcome in recorder.outcomes.values())
    assert list(documents.values()) == [last.size] * 2


def test_a_race_evaluates_what_a_run_without_one_does(
    raced: tuple[MemoryRecorder, list[TopVerdict]], tiny_model_folder: Path
) -> None:
    every = MemoryRecorder()
    run(every, tiny_model_folder, **WINDOWS)
    found = raced[0].outcomes
    assert len(found) < len(every.outcomes)
    for key, outcome in found.items():
        assert outcome.logprobs == pytest.approx(every.outcomes[key].logprobs, abs=1e-4)


def test_stored_outcomes_tell_the_same_verdicts_and_are_not_evaluated_again(
    raced: tuple[MemoryRecorder, list[TopVerdict]], tiny_model_folder: Path, tmp_path: Path
) -> None:
    _, (*_, last) = raced
    store = tmp_path / "s.duckdb"
    (*_, verdict) = looks(run(StoreRecorder(store), tiny_model_folder, **RACE))
    assert set(verdict.undecided) == set(last.undecided)
    rows = Results(store).shapley(Selection(), RACE["value"], estimator="window-first", max_removed=2).rows
    told = {row.label: row for row in rows}
    assert {label for label, row in told.items() if row.verdict == "open"} == set(verdict.undecided)
    assert sum(row.verdict == "out" for row in rows) == verdict.out
    assert {row.verdict_k for row in rows} == {3}
    assert {told[label].n for label in verdict.undecided} == {last.asked}
    assert all(row.verdict_n is not None and row.verdict_n <= row.n <= last.asked for row in rows)
    assert min(row.n for row in rows) < last.asked
    again = run(StoreRecorder(store), tiny_model_folder, **RACE)
    assert not [event for event in again if isinstance(event, ChunkRecorded)]
    assert set(looks(again)[-1].undecided) == set(verdict.undecided)


def test_layers_race_against_a_cost_and_the_store_tells_the_same(tiny_model_folder: Path, tmp_path: Path) -> None:
    """A tiny model's layers cost next to nothing, so most are told to cost less than a tenth of a nat."""
    store, asked = tmp_path / "s.duckdb", {"schedule": ["ablation"], "value": "gold_logprob_norm", "until_cost": 0.1}
    (*_, end) = costs(run(StoreRecorder(store), tiny_model_folder, **asked))
    rows = Results(store).ablation(Selection(), asked["value"]).rows
    told = {row.label: row for row in rows}
    assert {row.verdict_cost for row in rows} == {0.1}
    assert {label for label, row in told.items() if row.verdict == "above"} == set(end.above)
    assert {label for label, row in told.items() if row.verdict == "open"} == set(end.undecided)
    assert sum(row.verdict == "below" for row in rows) == end.below
    assert end.below + len(end.above) > 0
    decided = [row for row in rows if row.verdict != "open"]
    assert min(row.n for row in decided) < end.size, "a decided layer costs nothing more"
    again = run(StoreRecorder(store), tiny_model_folder, **asked)
    assert not [event for event in again if isinstance(event, ChunkRecorded)]
    assert costs(again)[-1] == end
    other = Results(store).ablation(Selection(), asked["value"], 1e6).rows
    assert {row.verdict for row in other} <= {"below", "open"}
    assert {row.verdict for row in Results(store).ablation(Selection(), "acc").rows} == {None}
    with pytest.raises(CornerstoneError, match="a cost of 2 cannot be asked about: acc changes by 1 at most"):
        Results(store).ablation(Selection(), "acc", 2.0)
