"""Read the input of the paper's tables: each model's values by task and document, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np

from core.coalitions.schedules import DEFAULT_MAX_REMOVED, INTACT, ablation
from core.config.gap import Gap
from core.errors import CornerstoneError
from core.estimators.estimator import Estimator
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.question import Question, Scores
from core.estimators.registry import estimator_named, window_readings
from core.paper.published import TASKS
from core.paper.values import ModelValues, TaskValues
from core.statistics.intervals import FloatArray
from core.summaries.summarize import are_complete, chance_of, complete_documents
from core.values.corpus import refuse_corpus_value
from store.file.database import reading
from store.file.location import default_path
from store.file.patience import PATIENCE_S, OnWait
from store.reading.gaps import lacks_coalitions, left_out, no_ablation_of_all, no_document, no_intact
from store.reading.group_values import read_values
from store.reading.groups import Group, find_groups, named_groups, with_value
from store.reading.paper_gaps import Stored, missing_from_paper
from store.rows import Selection

# The authors' choice: acc_norm if the task has it, else acc.
AUTHORS_VALUES = ("acc_norm", "acc")


@dataclass(frozen=True, slots=True)
class PaperSelection:
    """The stored results that the tables are made from.

    Attributes:
        models: names, name@id or ids of models; () for all that are stored.
        tasks: likewise of tasks; () for the paper's tasks, or all tasks of a model that has none of the paper's.
        value: a metric that is a mean over documents, or one of ``derived_values()``; None for the authors' choice.
        estimator: one of ``core.estimators.registry.window_readings()``.
        max_removed: the longest window.
    """

    models: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    value: str | None = None
    estimator: str = "window-first"
    max_removed: int = DEFAULT_MAX_REMOVED


@dataclass(frozen=True, slots=True)
class PaperValues:
    """The stored values for the tables, by model.

    ``gaps`` say which stored models and tasks are left out, and ``missing`` what the paper has and the store lacks.
    ``notes`` are sentences that name the models without any of the paper's tasks.
    """

    models: tuple[ModelValues, ...]
    notes: tuple[str, ...]
    gaps: tuple[Gap, ...]
    missing: tuple[Gap, ...]


def read_paper(
    path: Path | None = None,
    selection: PaperSelection = PaperSelection(),
    patience: float = PATIENCE_S,
    on_wait: OnWait | None = None,
) -> PaperValues:
    """Read what is stored of the selected models and tasks.

    If a model has a task several times (other data, other prompt settings), the one with the most documents is read.

    Raises:
        CornerstoneError: there is no store, a name fits nothing in it, there is no such estimator, or no task
            selected has the value.
    """
    if selection.estimator not in window_readings():
        raise CornerstoneError(
            f"the paper's tables are of {' or '.join(window_readings())}, not of the estimator {selection.estimator!r}"
        )
    gaps: list[Gap] = []
    notes: list[str] = []
    models, stored = [], []
    with reading(path or default_path(), patience, on_wait) as db:
        wanted = _wanted(find_groups(db, Selection()), selection, notes, gaps)
        for model_id in dict.fromkeys(group.model_id for group, _ in wanted):
            read = [
                (group, _read(db, group, value, selection)) for group, value in wanted if group.model_id == model_id
            ]
            kept = _one_a_task(read, gaps)
            gaps += [gap for _, (_, task_gaps) in kept for gap in task_gaps]
            tasks = [values for _, (values, _) in kept]
            first = read[0][0]
            models.append(ModelValues(first.model_name, model_id, first.players, tuple(sorted(tasks, key=_place))))
            stored.append(Stored(models[-1], tuple(group for group, _ in kept)))
    missing = missing_from_paper(stored, everything=not selection.models)
    return PaperValues(tuple(models), tuple(notes), tuple(gaps), tuple(missing))


_Read = tuple[TaskValues, list[Gap]]


def _wanted(
    stored: list[Group], selection: PaperSelection, notes: list[str], gaps: list[Gap]
) -> list[tuple[Group, str]]:
    """Return the selected groups that have a value, by model, each with that value; add the others to ``gaps``."""
    groups = _named(stored, selection, gaps)
    if not selection.tasks:
        groups = _of_the_paper(groups, notes, gaps)
    if selection.value is not None:
        refuse_corpus_value(selection.value, "the paper's report")
        valued, refusals = with_value(groups, selection.value)
        gaps += [Gap(f"{refusal}; left out") for refusal in dict.fromkeys(map(str, refusals))]
        return valued
    values = [(group, _authors_value(group)) for group in groups]
    refused = dict.fromkeys(group.task_name for group, value in values if value is None)
    said = [f"{name} has no acc that is a mean over its documents, so it is left out" for name in refused]
    having = [(group, value) for group, value in values if value is not None]
    if not having:
        raise CornerstoneError("; ".join(said))
    gaps += map(Gap, said)
    return having


def _named(everything: list[Group], selection: PaperSelection, gaps: list[Gap]) -> list[Group]:
    """Return the groups of the named models and tasks, and add a task that one of several models lacks to ``gaps``.

    Raises:
        CornerstoneError: a name fits nothing that is stored, or no two of them fit together.
    """
    models = [named_groups(everything, model, None) for model in selection.models or (None,)]
    stored = {(group.model, group.dataset): group for some in models for group in some}
    if not selection.tasks:
        return list(stored.values())
    kept: set[tuple[int, int]] = set()
    for task in selection.tasks:
        keys = {(group.model, group.dataset) for group in named_groups(everything, None, task)}
        found = {key: group for key, group in stored.items() if key in keys}
        kept |= found.keys()
        holding = {model for model, _ in found}
        lacking = {model: group.model_name for (model, _), group in stored.items() if model not in holding}
        gaps += [Gap(f"{name}: {task} is not stored") for name in lacking.values()]
    if not kept:
        named_groups(everything, selection.models[0] if selection.models else None, selection.tasks[0])
    return [group for key, group in stored.items() if key in kept]


def _of_the_paper(groups: Sequence[Group], notes: list[str], gaps: list[Gap]) -> list[Group]:
    """Return the paper's tasks, or all tasks of a model that has none of them."""
    kept: list[Group] = []
    for model in dict.fromkeys(group.model for group in groups):
        own = [group for group in groups if group.model == model]
        paper = [group for group in own if group.task_name in TASKS]
        others = ", ".join(dict.fromkeys(group.task_name for group in own if group.task_name not in TASKS))
        if not paper:
            notes.append(f"{own[0].model_name}: none of the paper's tasks is stored, so its numbers are of {others}")
        elif others:
            what = f"{others} is none of the paper's tasks, so it is left out unless you name it"
            gaps.append(Gap(f"{own[0].model_name}: {what}"))
        kept += paper or own
    return kept


def _authors_value(group: Group) -> str | None:
    return next((name for name in AUTHORS_VALUES if name in group.values), None)


def _read(db: duckdb.DuckDBPyConnection, group: Group, value: str, selection: PaperSelection) -> _Read:
    players = len(group.players)
    read = read_values(db, group, value, longest=selection.max_removed)
    gaps = [Gap(sentence) for sentence in left_out(group, value, read)]
    alone = [removed for removed in ablation(players) if removed in read.scores]
    complete = complete_documents(read.scores, alone) if len(alone) == players + 1 else {}
    there = len(complete.get(INTACT, ())) > 0
    if len(alone) > 1 and INTACT not in alone:
        gaps.append(no_intact(group, Question(LeaveOneOut())))
    elif len(alone) > 1 and not there:
        gaps.append(no_ablation_of_all(group, len(alone) - 1, players))
    estimator = estimator_named(selection.estimator, {"max_removed": selection.max_removed})
    values = TaskValues(
        task=group.task_name,
        task_id=group.task_id,
        value=value,
        chance=chance_of(read.choices[are_complete(read.scores, alone)] if there else read.choices, value),
        size=_size(db, group),
        intact=complete[INTACT] if there else None,
        ablated=np.stack([complete[(player,)] for player in range(players)]) if there else None,
        contributions=_contributions(read.scores, group, estimator, gaps),
    )
    return values, gaps


def _contributions(scores: Scores, group: Group, estimator: Estimator, gaps: list[Gap]) -> FloatArray | None:
    question = Question(estimator)
    wanted = estimator.missing({}, len(group.players))
    missing = len(estimator.missing(scores, len(group.players)))
    if missing:
        gaps.append(lacks_coalitions(group, question, missing, len(wanted)))
        return None
    complete = complete_documents(scores, wanted)
    if not len(complete[INTACT]):
        gaps.append(no_document(group, question, len(wanted)))
        return None
    return estimator.contributions(complete, len(group.players))


def _size(db: duckdb.DuckDBPyConnection, group: Group) -> int:
    (size,) = db.execute("SELECT size FROM datasets WHERE dataset = ?", [group.dataset]).fetchall()[0]
    return int(size)


def _one_a_task(read: Sequence[tuple[Group, _Read]], gaps: list[Gap]) -> list[tuple[Group, _Read]]:
    """Return the group with the most documents for each task."""
    kept: dict[str, tuple[Group, _Read]] = {}
    for group, one in sorted(read, key=lambda each: _documents(each[1][0]), reverse=True):
        first = kept.setdefault(group.task_name, (group, one))
        if first[0] is not group:
            gaps.append(
                Gap(
                    f"{group.title} is stored in several ways; {first[0].task_name}@{first[0].task_id} has the most "
                    f"documents and is shown, {group.task_name}@{group.task_id} only where you name it"
                )
            )
    return list(kept.values())


def _documents(values: TaskValues) -> tuple[int, int]:
    return 0 if values.contributions is None else values.contributions.shape[1], 0 if values.intact is None else len(
        values.intact
    )


def _place(values: TaskValues) -> tuple[int, str]:
    """Return a sort key: the paper's tasks in its order, then the others by name."""
    names = list(TASKS)
    return (names.index(values.task) if values.task in TASKS else len(names), values.task)
