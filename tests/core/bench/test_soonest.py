"""The benchmark tells after how many documents the first layers were known for certain."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from core.bench import soonest
from core.bench.report import Answer
from core.bench.soonest import Reached, answer
from core.coalitions.players import Removed
from core.config.run_config import load_config
from core.estimators.windows import WindowFirst
from core.records.records import DocumentRecord, Outcome
from core.study.workbench import Workbench, open_workbench

WINDOWS = WindowFirst(2)


def opened(model: Path, order: str) -> Workbench:
    options = {"model": str(model), "tasks": ["agreement"], "limit": 96, "order": order, "device": "cpu"}
    return open_workbench(load_config(None, options))


def first(bench: Workbench, count: int) -> frozenset[str]:
    return frozenset(document.record.key for document in bench.tasks[0].documents[:count])


def at_the_end(bench: Workbench) -> list[Reached]:
    return [Reached(first(bench, 96), 1.0)]


def lost(removed: Removed, *, clear: bool) -> float:
    """Nats a character that are lost; players 0 and 5 matter most, by far if that is clear."""
    return 0.2 * len(removed) + clear * (3.0 * (0 in removed) + 2.0 * (5 in removed))


def outcomes_of(bench: Workbench, *, clear: bool) -> dict[tuple[str, Removed], Outcome]:
    coalitions = WINDOWS.coalitions(len(bench.model.players))
    return {
        (document.record.key, removed): outcome(document.record, removed, lost(removed, clear=clear))
        for document in bench.tasks[0].documents
        for removed in coalitions
    }


def outcome(document: DocumentRecord, removed: Removed, less: float) -> Outcome:
    nats = 1 + less + random.Random(f"{document.key} {removed}").gauss(0, 0.1)
    scored = tuple(-len(choice) * nats for choice in document.choices)
    return Outcome(document.key, removed, scored, (False,) * len(scored), {"acc": 1.0}, {})


def answered(bench: Workbench, reached: list[Reached], *, clear: bool = True) -> Answer | None:
    outcomes = outcomes_of(bench, clear=clear)
    return answer(bench, bench.tasks[0], WINDOWS, outcomes, reached, ready=2.0, lm_eval_seconds=840.0)


def test_the_first_layers_are_told_with_the_documents_and_seconds_they_took(tiny_model_folder: Path) -> None:
    bench = opened(tiny_model_folder, "shuffled")
    reached = [Reached(first(bench, documents), documents / 10) for documents in (16, 40, 64, 96)]
    told = answered(bench, reached)
    assert told is not None
    assert (told.value, told.inside, told.documents) == ("gold_logprob_norm", ("Attn 0", "FFN 2"), 64)
    assert (told.seconds, told.lm_eval_seconds, told.speedup) == (8.4, 840.0, 100.0)
    assert answered(bench, reached, clear=False) is None


def test_documents_in_file_order_are_no_sample(tiny_model_folder: Path) -> None:
    bench = opened(tiny_model_folder, "file")
    assert answered(bench, at_the_end(bench)) is None


def test_a_task_without_the_value_has_no_answer(tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = opened(tiny_model_folder, "shuffled")
    monkeypatch.setattr(soonest, "usable_values", lambda _task, _documents: ("acc",))
    assert answered(bench, at_the_end(bench)) is None
