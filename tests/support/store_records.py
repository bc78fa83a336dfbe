"""Small, plain records to store: a study's hand-over without a model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from core.coalitions.players import Kinds, Removed
from core.config.run_config import RunConfig
from core.records.records import Assignment, DataRecord, DocumentRecord, ModelRecord, Outcome, RunRecord, TaskRecord
from store.recorder import StoreRecorder
from tests.support.open_store import open_for_writing

KINDS: Kinds = (("attn", "ffn"),) * 3
PLAYERS = 6


def _digest(*parts: str) -> str:
    return hashlib.sha256("/".join(parts).encode("utf-8", "replace")).hexdigest()


def model(name: str = "tiny", dtype: str = "float32") -> ModelRecord:
    return ModelRecord(_digest(name, dtype), name, f"/models/{name}", None, dtype, "llama", KINDS)


def task(
    name: str = "capitals",
    *,
    means: Sequence[str] = ("acc", "acc_norm"),
    others: Sequence[str] = ("f1",),
    shots: int = 0,
) -> TaskRecord:
    return TaskRecord(
        _digest(name, str(shots)), name, "1.0", shots, False, "multiple_choice", tuple(means), tuple(others)
    )


def data(name: str = "data") -> DataRecord:
    return DataRecord(_digest(name), f"{name}.jsonl", 100)


def documents(doc_ids: Iterable[int], *, prefix: str = "doc", choices: int = 4) -> tuple[DocumentRecord, ...]:
    names = tuple("abcdefgh"[:choices])
    return tuple(DocumentRecord(f"{prefix}-{i}", i, (i % choices,), f"question {i}", names) for i in doc_ids)


def outcome(
    document: str,
    removed: Removed = (),
    acc: float = 1.0,
    *,
    logprobs: Sequence[float] = (-1.5, -2.5, -3.0, -4.0),
    metrics: Mapping[str, float] | None = None,
    other: Mapping[str, object] | None = None,
) -> Outcome:
    scores = {"acc": acc, "acc_norm": 1 - acc} if metrics is None else metrics
    greedy = tuple(index == 0 for index in range(len(logprobs)))
    return Outcome(document, removed, tuple(logprobs), greedy, scores, other or {"f1": [0, 1]})  # type: ignore[arg-type]


def to_run(**options: object) -> RunConfig:
    """Return the configuration of a run of ``model`` on ``task``; options override it."""
    return RunConfig.model_validate({"model": "tiny", "tasks": "capitals", **options})


def run(
    run_id: str = "run1", command: str = "cornerstone run --task capitals", *, config: RunConfig | None = None
) -> RunRecord:
    return RunRecord(run_id, command, "{}" if config is None else config.model_dump_json(), "{}", 0)


def assignment(
    docs: Sequence[DocumentRecord],
    coalitions: Sequence[Removed],
    *,
    of_model: ModelRecord | None = None,
    of_task: TaskRecord | None = None,
    of_data: DataRecord | None = None,
) -> Assignment:
    return Assignment(of_model or model(), of_task or task(), of_data or data(), docs, coalitions)


def keep(
    path: Path,
    asked: Assignment,
    outcomes: Sequence[Outcome],
    *,
    run_id: str = "run1",
    config: RunConfig | None = None,
) -> StoreRecorder:
    """Store a whole run of one assignment."""
    recorder = StoreRecorder(path, patience=5)
    with open_for_writing(path):
        recorder.begin(run(run_id, config=config))
        recorder.assign(run_id, asked)
        recorder.record(run_id, asked, outcomes)
        recorder.finish(run_id, "finished")
    return recorder


def drawn_scores(
    coalitions: Iterable[Removed], n: int, seed: int = 0, *, intact: float, lost: float = 0.0
) -> dict[Removed, list[float]]:
    """Draw scores of 0 and 1 for ``n`` documents; the part of ones is ``intact``, less ``lost`` a removed player."""
    rng = np.random.default_rng(seed)
    return {removed: (rng.random(n) < intact - lost * len(removed)).astype(float).tolist() for removed in coalitions}


def keep_all(
    path: Path,
    asked: Assignment,
    acc: Mapping[Removed, Sequence[float]],
    *,
    run_id: str = "run1",
    config: RunConfig | None = None,
) -> StoreRecorder:
    """Store a run that evaluated every document under every coalition; ``acc`` is by document."""
    outcomes = [
        outcome(document.key, removed, acc[removed][index])
        for removed in asked.coalitions
        for index, document in enumerate(asked.documents)
    ]
    return keep(path, asked, outcomes, run_id=run_id, config=config)
