"""A sweep begins with few documents and takes more and more at once; tasks may take turns."""

from __future__ import annotations

from itertools import islice, pairwise
from pathlib import Path

import pytest

from core.config.run_config import RunConfig, load_config
from core.records.memory_recorder import MemoryRecorder
from core.study import first_chunks
from core.study.events import ChunkRecorded, PhaseFinished, PhaseStarted
from core.study.first_chunks import first_documents, growing
from core.study.listener import SILENT
from core.study.plan import schedules_of
from core.study.workbench import open_workbench


@pytest.mark.parametrize(("coalitions", "documents"), [(235, 2), (635, 2), (65_536, 2), (61, 8), (2, 250), (1, 500)])
def test_the_first_chunk_has_few_documents_where_there_are_many_coalitions(coalitions: int, documents: int) -> None:
    assert first_documents(coalitions) == documents
    assert list(islice(growing(coalitions), 3)) == [documents, 2 * documents, 4 * documents]


def config_of(model: Path, *tasks: str) -> RunConfig:
    return load_config(None, {"model": str(model), "tasks": list(tasks), "limit": 9, "schedule": ["ablation"]})


def test_chunks_grow_and_all_documents_are_evaluated_in_their_order(
    tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_chunks, "_FIRST_OUTCOMES", 18)
    config, recorder = config_of(tiny_model_folder, "agreement"), MemoryRecorder()
    bench = open_workbench(config, SILENT, None)
    study = bench.study(bench.tasks, schedules_of(config, bench.model.players))
    done = [0, *(event.done // 9 for event in study.run("run", recorder) if isinstance(event, ChunkRecorded))]
    sizes = [after - before for before, after in pairwise(done)]
    assert sizes[0] == 2
    assert sizes[1] <= 4
    assert (sum(sizes), len(recorder.outcomes)) == (9, 81)
    documents = list(dict.fromkeys(document for document, _ in recorder.outcomes))
    assert documents == [document.record.key for document in bench.tasks[0].documents]


@pytest.mark.slow
def test_tasks_take_turns_with_the_same_outcomes(tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first_chunks, "_FIRST_OUTCOMES", 18)
    config = config_of(tiny_model_folder, "agreement", "capitals")
    bench = open_workbench(config, SILENT, None)
    study = bench.study(bench.tasks, schedules_of(config, bench.model.players))
    after, between = MemoryRecorder(), MemoryRecorder()
    one_by_one, in_turn = list(study.run("run", after)), list(study.run("run", between, in_turn=True))
    assert between.outcomes == after.outcomes
    chunks = [event.phase.task.name for event in in_turn if isinstance(event, ChunkRecorded)]
    assert chunks[:4] == ["agreement", "capitals"] * 2
    assert sorted(chunks) == [event.phase.task.name for event in one_by_one if isinstance(event, ChunkRecorded)]
    for kind in (PhaseStarted, PhaseFinished):
        assert sum(isinstance(event, kind) for event in in_turn) == 2
