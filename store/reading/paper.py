"""Reading what the paper's tables are made from: of each model, its tasks' values per document, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from core.coalitions.players import players_of
from core.coalitions.schedules import DEFAULT_MAX_REMOVED, INTACT, ablation
from core.errors import CornerstoneError
from core.estimators.estimator import Estimator
from core.estimators.question import Question, Scores
from core.estimators.registry import WINDOW_ESTIMATORS, estimator_named
from core.paper.published import TASKS
from core.paper.values import ModelValues, TaskValues
from core.statistics.intervals import FloatArray
from core.summaries.summarize import are_complete, chance_of, complete_documents
from store.file.database import PATIENCE_S, reading
from store.file.location import default_path
from store.reading.gaps import lacks_coalitions, left_out, no_ablation_of_all, no_document, no_intact
from store.reading.groups import Group, find_groups, read_values, with_value
from store.reading.paper_gaps import Stored, missing_from_paper
from store.rows import Selection

# The authors': acc_norm where the task defines it, else acc.
AUTHORS_VALUES = ("acc_norm", "acc")


@dataclass(frozen=True, slots=True)
class PaperSelection:
    """What the tables are made from.

    Attributes:
        models: their names, name@id or ids; none means all that are stored.
        tasks: likewise; none means those of the paper, and of a model that has none of them, all it has.
        value: a metric that is a mean over documents, or one of ``DERIVED``; None for the authors' choice.
        estimator: one of ``core.estimators.registry.WINDOW_ESTIMATORS``.
        max_removed: the longest window.
    """

    models: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    value: str | None = None
    estimator: str = "window-first"
    max_removed: int = DEFAULT_MAX_REMOVED


@dataclass(frozen=True, slots=True)
class PaperValues:
    """What is stored for the tables, by model.

    In sentences, ``gaps`` say what is left out of the models and tasks that are stored, ``missing`` what the paper has
    and the store has not, and ``notes`` which models' numbers are of no task of the paper's.
    """

    models: tuple[ModelValues, ...]
    notes: tuple[str, ...]
    gaps: tuple[str, ...]
    missing: tuple[str, ...]


def read_paper(
    path: Path | None = None,
    selection: PaperSelection = PaperSelection(),
    patience: float = PATIENCE_S,
) -> PaperValues:
    """What is stored of the models and tasks that are selected.

    Where one model has a task in several ways (other data, other prompt settings), the one of the most documents is
    read.

    Raises:
        CornerstoneError: there is no store, a name fits nothing in it, there is no such estimator, or no task
            selected has the value.
    """
    if selection.estimator not in WINDOW_ESTIMATORS:
        raise CornerstoneError(
            f"the paper's tables are of {' or '.join(WINDOW_ESTIMATORS)}, not of the estimator {selection.estimator!r}"
        )
    path = path or default_path()
    gaps: list[str] = []
    notes: list[str] = []
    models, stored = [], []
    with reading(path, patience) as db:
        groups = _wanted(db, selection, notes, gaps)
        for model_id in dict.fromkeys(group.model_id for group in groups):
            own = [group for group in groups if group.model_id == model_id]
            read = [(group, _read(db, group, selection, path)) for group in own]
            kept = _one_a_task(read, gaps)
            gaps += [gap for _, (_, task_gaps) in kept for gap in task_gaps]
            tasks = [values for _, (values, _) in kept]
            models.append(
                ModelValues(own[0].model_name, model_id, players_of(own[0].kinds), tuple(sorted(tasks, key=_place)))
            )
            stored.append(Stored(models[-1], tuple(group for group, _ in kept)))
    missing = missing_from_paper(stored, path, everything=not selection.models)
    return PaperValues(tuple(models), tuple(notes), tuple(gaps), tuple(missing))


_Read = tuple[TaskValues, list[str]]


def _wanted(db: duckdb.DuckDBPyConnection, selection: PaperSelection, notes: list[str], gaps: list[str]) -> list[Group]:
    """The groups selected that have a value, by model; what is left out is added to ``gaps``."""
    groups = _named(db, selection, gaps)
    if not selection.tasks:
        groups = _of_the_paper(groups, notes, gaps)
    if selection.value is not None:
        valued, refusals = with_value(groups, selection.value)
        gaps += [f"{refusal}; left out" for refusal in dict.fromkeys(refusals)]
        return valued
    valued = [group for group in groups if value_of(group, None)]
    refused = dict.fromkeys(group.task_name for group in groups if group not in valued)
    said = [f"{name} has no acc that is a mean over its documents, so it is left out" for name in refused]
    if not valued:
        raise CornerstoneError("; ".join(said))
    gaps += said
    return valued


def _named(db: duckdb.DuckDBPyConnection, selection: PaperSelection, gaps: list[str]) -> list[Group]:
    """The groups of the models and tasks named; a task that one of several models lacks is added to ``gaps``.

    Raises:
        CornerstoneError: a name fits nothing that is stored, or no two of them fit together.
    """
    models = [find_groups(db, Selection(model, None)) for model in selection.models or (None,)]
    stored = {(group.model, group.dataset): group for some in models for group in some}
    if not selection.tasks:
        return list(stored.values())
    kept: set[tuple[int, int]] = set()
    for task in selection.tasks:
        keys = {(group.model, group.dataset) for group in find_groups(db, Selection(None, task))}
        found = {key: group for key, group in stored.items() if key in keys}
        kept |= found.keys()
        holding = {model for model, _ in found}
        lacking = {model: group.model_name for (model, _), group in stored.items() if model not in holding}
        gaps += [f"{name}: {task} is not stored" for name in lacking.values()]
    if not kept:
        find_groups(db, Selection(selection.models[0] if selection.models else None, selection.tasks[0]))
    return [group for key, group in stored.items() if key in kept]


def _of_the_paper(groups: Sequence[Group], notes: list[str], gaps: list[str]) -> list[Group]:
    """The paper's tasks; all tasks of a model that has none of them."""
    kept: list[Group] = []
    for model in dict.fromkeys(group.model for group in groups):
        own = [group for group in groups if group.model == model]
        paper = [group for group in own if group.task_name in TASKS]
        others = ", ".join(dict.fromkeys(group.task_name for group in own if group.task_name not in TASKS))
        if not paper:
            notes.append(f"{own[0].model_name}: none of the paper's tasks is stored, so its numbers are of {others}")
        elif others:
            gaps.append(f"{own[0].model_name}: {others} is none of the paper's tasks and left out (--task takes it)")
        kept += paper or own
    return kept


def value_of(group: Group, value: str | None) -> str | None:
    """The value that stands for a task: the one asked for, or the authors' choice; None where it has none."""
    wanted = AUTHORS_VALUES if value is None else (value,)
    return next((name for name in wanted if name in group.values), None)


def _read(db: duckdb.DuckDBPyConnection, group: Group, selection: PaperSelection, path: Path) -> _Read:
    value = value_of(group, selection.value)
    assert value is not None
    players = len(group.kinds)
    read = read_values(db, group, value, longest=selection.max_removed)
    gaps = left_out(group, value, read)
    alone = [removed for removed in ablation(players) if removed in read.scores]
    complete = complete_documents(read.scores, alone) if len(alone) == players + 1 else {}
    there = len(complete.get(INTACT, ())) > 0
    if len(alone) > 1 and INTACT not in alone:
        gaps.append(no_intact(group, path, Question("leave-one-out")))
    elif len(alone) > 1 and not there:
        gaps.append(no_ablation_of_all(group, path, len(alone) - 1, players))
    estimator = estimator_named(selection.estimator, max_removed=selection.max_removed)
    values = TaskValues(
        task=group.task_name,
        task_id=group.task_id,
        value=value,
        chance=chance_of(read.choices[are_complete(read.scores, alone)] if there else read.choices, value),
        size=_size(db, group),
        intact=complete[INTACT] if there else None,
        ablated=np.stack([complete[(player,)] for player in range(players)]) if there else None,
        contributions=_contributions(read.scores, group, estimator, selection.max_removed, path, gaps),
    )
    return values, gaps


def _contributions(
    scores: Scores, group: Group, estimator: Estimator, max_removed: int, path: Path, gaps: list[str]
) -> FloatArray | None:
    question = Question(estimator.name, max_removed=max_removed)
    wanted = estimator.missing({}, len(group.kinds))
    missing = len(estimator.missing(scores, len(group.kinds)))
    if missing:
        gaps.append(lacks_coalitions(group, path, question, missing, len(wanted)))
        return None
    complete = complete_documents(scores, wanted)
    if not len(complete[INTACT]):
        gaps.append(no_document(group, path, question, len(wanted)))
        return None
    return estimator.contributions(complete, len(group.kinds))


def _size(db: duckdb.DuckDBPyConnection, group: Group) -> int:
    (size,) = db.execute("SELECT size FROM datasets WHERE dataset = ?", [group.dataset]).fetchall()[0]
    return int(size)


def _one_a_task(read: Sequence[tuple[Group, _Read]], gaps: list[str]) -> list[tuple[Group, _Read]]:
    """Of the ways in which a task is stored, the one of the most documents."""
    kept: dict[str, tuple[Group, _Read]] = {}
    for group, one in sorted(read, key=lambda each: _documents(each[1][0]), reverse=True):
        first = kept.setdefault(group.task_name, (group, one))
        if first[0] is not group:
            gaps.append(
                f"{group.title} is stored in several ways; {first[0].task_name}@{first[0].task_id} has the most "
                f"documents and is shown, --task {group.task_name}@{group.task_id} shows the other"
            )
    return list(kept.values())


def _documents(values: TaskValues) -> tuple[int, int]:
    return 0 if values.contributions is None else values.contributions.shape[1], 0 if values.intact is None else len(
        values.intact
    )


def _place(values: TaskValues) -> tuple[int, str]:
    """The paper's tasks in its order, then the others by name."""
    names = list(TASKS)
    return (names.index(values.task) if values.task in TASKS else len(names), values.task)
