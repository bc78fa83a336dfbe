"""Read what a store has of a model and its tasks, as a run opened them: to show results where no model is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import duckdb

from core.coalitions.players import kinds_by_layer
from core.config.limit import Limit, documents_in
from core.config.run_config import RunConfig, documents_of
from core.config.task_config import is_path
from core.records.fingerprint import short_id
from core.records.records import Assignment, DataRecord, DocumentRecord, ModelRecord, TaskRecord
from core.records.task_group import groups_in
from store.file.database import reading
from store.file.patience import PATIENCE_S

_MOST_RUNS = 200
"""Of how many of the latest runs the configuration is looked at."""


@dataclass(frozen=True, slots=True)
class StoredTasks:
    """A model and tasks that runs have opened. The assignments have no coalitions."""

    config: RunConfig
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which results to look for.

    Attributes:
        config: the model, tasks and documents; None for those of the latest run.
        model_id: the model's short fingerprint; "" for the model of the latest run whose configuration names it.
    """

    config: RunConfig | None = None
    model_id: str = ""


def read_opened(path: Path, wanted: Wanted, patience: float = PATIENCE_S) -> StoredTasks | None:
    """Return the model and the tasks that a store has of what is wanted; None if it has nothing of it.

    A task has as many documents as are wanted, in the order in which runs asked for them, or fewer if none asked for so
    many.

    Raises:
        CornerstoneError: the store is not there, is damaged, cannot be read, or stays in use.
    """
    with reading(path, patience) as db:
        found = _Found(wanted)
        configs: dict[str, RunConfig | None] = {}
        for row in _rows(db):
            config = configs[row.run] if row.run in configs else configs.setdefault(row.run, _config_of(row))
            if config is not None:
                found.take(row, config)
        if found.config is None or found.model is None:
            return None
        model = _model(db, found.model)
        assignments = [_assignment(db, model, dataset, doc_ids) for dataset, doc_ids in found.documents()]
        return StoredTasks(found.config, tuple(assignments)) if assignments else None


class _Row(NamedTuple):
    """A task of a run."""

    run: str
    config: str
    model: int
    fingerprint: str
    dataset: int
    size: int
    task: str
    doc_ids: list[int]


def _rows(db: duckdb.DuckDBPyConnection) -> Iterator[_Row]:
    """Yield the tasks of the latest runs, the latest run first, in the order in which each was assigned."""
    rows = db.execute(
        """SELECT r.run, r.config, a.model, m.fingerprint, a.dataset, s.size, t.name, a.doc_ids
        FROM (SELECT * FROM runs ORDER BY started DESC, run LIMIT ?) r
        JOIN assignments a ON a.run = r.run JOIN models m ON m.model = a.model
        JOIN datasets s ON s.dataset = a.dataset JOIN tasks t ON t.task = s.task
        ORDER BY r.started DESC, r.run, a.rowid""",
        [_MOST_RUNS],
    ).fetchall()
    return (_Row(*row) for row in rows)


@dataclass
class _Found:
    """The model, and the documents of each task, as the rows of the latest runs are read."""

    wanted: Wanted
    config: RunConfig | None = None
    model: int | None = None
    groups: dict[str, tuple[str, ...]] = field(default_factory=dict)
    runs: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, dict[int, _Documents]] = field(default_factory=dict)

    def take(self, row: _Row, config: RunConfig) -> None:
        """Take a row, if it is of the model and of documents as wanted, and no later run had its task on other data."""
        if not self._is_wanted(row, config):
            return
        if self.config is None:
            self.config, self.model = self.wanted.config or config, row.model
        self.groups |= {group.name: group.members for group in groups_in(row.config)}
        latest, data = self.runs.setdefault(row.task, row.run), self.tasks.setdefault(row.task, {})
        if latest == row.run or row.dataset in data:
            data.setdefault(row.dataset, _Documents(row.size)).take(row)

    def _is_wanted(self, row: _Row, config: RunConfig) -> bool:
        if self.model is not None and row.model != self.model:
            return False
        if self.wanted.model_id and short_id(row.fingerprint) != self.wanted.model_id:
            return False
        wanted = self.config or self.wanted.config
        if wanted is None:
            return True
        named = bool(self.wanted.model_id) or _model_of(config) == _model_of(wanted)
        return named and _documents_of(config) == _documents_of(wanted)

    def documents(self) -> Iterator[tuple[int, list[int]]]:
        """Yield the data set of each task with its documents, in the order of the configuration.

        All tasks are there if one is named by a file, because the store has not the names of files.
        """
        asked = () if self.config is None else self.config.tasks
        names = [name for task in asked for name in self.groups.get(task.name, (task.name,))]
        if any(is_path(name) for name in names):
            names += self.tasks
        for name in dict.fromkeys(names):
            for dataset, documents in self.tasks.get(name, {}).items():
                yield dataset, documents.first(None if self.config is None else self.config.limit)


@dataclass
class _Documents:
    """The documents of a data set of ``size`` documents that each run asked for, in the run's order."""

    size: int
    by_run: dict[str, dict[int, None]] = field(default_factory=dict)

    def take(self, row: _Row) -> None:
        self.by_run.setdefault(row.run, {}).update(dict.fromkeys(row.doc_ids))

    def first(self, limit: Limit) -> list[int]:
        """Return as many as ``limit`` takes, or all of the run with the most. Runs of the same order begin alike."""
        asked = [list(doc_ids) for doc_ids in self.by_run.values()]
        return max(asked, key=len)[: documents_in(limit, self.size)]


def _config_of(row: _Row) -> RunConfig | None:
    """Return the configuration of a run; None if another version of this program wrote it."""
    try:
        return documents_of(row.config)
    except ValueError:
        return None


def _model_of(config: RunConfig) -> tuple[object, ...]:
    return config.model, config.revision, config.adapter, config.dtype


def _documents_of(config: RunConfig) -> tuple[object, ...]:
    """Return what tells other documents, or other prompts of them, apart; not how many there are."""
    return config.order, config.seed, config.num_fewshot, config.apply_chat_template


def _model(db: duckdb.DuckDBPyConnection, model: int) -> ModelRecord:
    row = db.execute(
        "SELECT fingerprint, name, source, revision, dtype, family, kinds, layers FROM models WHERE model = ?", [model]
    ).fetchone()
    assert row is not None
    fingerprint, name, source, revision, dtype, family, kinds, layers = row
    return ModelRecord(fingerprint, name, source, revision, dtype, family, kinds_by_layer(kinds, layers))


def _assignment(db: duckdb.DuckDBPyConnection, model: ModelRecord, dataset: int, doc_ids: list[int]) -> Assignment:
    row = db.execute(
        """SELECT s.fingerprint, s.source, s.size, t.fingerprint, t.name, t.version, t.num_fewshot, t.chat_template,
                  t.output_type, t.mean_metrics, t.other_metrics
        FROM datasets s JOIN tasks t ON t.task = s.task WHERE s.dataset = ?""",
        [dataset],
    ).fetchone()
    assert row is not None
    fingerprint, source, size, prompt, name, version, shots, chat, output_type, mean_metrics, other_metrics = row
    documents = db.execute(
        """SELECT d.key, m.doc_id, d.gold, d.prompt, d.choices
        FROM (SELECT unnest(?::INTEGER[]) AS doc_id, unnest(range(?)) AS place) n
        JOIN members m ON m.dataset = ? AND m.doc_id = n.doc_id JOIN documents d ON d.document = m.document
        ORDER BY n.place, d.document""",
        [doc_ids, len(doc_ids), dataset],
    ).fetchall()
    return Assignment(
        model,
        TaskRecord(prompt, name, version, shots, chat, output_type, tuple(mean_metrics), tuple(other_metrics)),
        DataRecord(fingerprint, source, size),
        [DocumentRecord(key, doc_id, tuple(gold), text, tuple(texts)) for key, doc_id, gold, text, texts in documents],
        (),
    )
