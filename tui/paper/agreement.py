"""Compare the estimators task by task: whether they name the same top 3, and if not, why."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from core.estimators.estimator import Estimator
from core.estimators.permutation import Permutation
from core.estimators.question import Question
from core.estimators.windows import WindowFirst
from core.paper.report import ModelReport, TaskReport
from core.paper.shares import TOP
from store.rows import Selection, ShapleyRow
from tui.drawing.gap_text import gap_texts
from tui.drawing.plain import counted
from tui.paper.layout import PaperTable, Section

if TYPE_CHECKING:
    from store.results import Results

_SURE = 0.95


@dataclass(frozen=True, slots=True)
class Named:
    """The players that an estimator names from ``n`` documents, with the probability that each is among its top.

    ``told_apart`` is true if any value is not 0.
    """

    estimator: Estimator
    n: int
    players: dict[str, float]
    told_apart: bool

    @property
    def title(self) -> str:
        """The estimator with its settings, except the length of windows, which stands above all tables."""
        if self.reads_windows:
            return self.estimator.name
        return ", ".join((self.estimator.name, *self.estimator.in_words()))

    @property
    def reads_windows(self) -> bool:
        """True if the estimator reads the paper's windows."""
        return _reads_windows(self.estimator)

    @property
    def walks(self) -> int | None:
        """The number of walks; None if the estimator takes none."""
        return self.estimator.permutations if isinstance(self.estimator, Permutation) else None


@dataclass(frozen=True, slots=True)
class Agreement:
    """The players that each estimator names for one model on one task.

    ``lacking`` has a sentence for each gap of other estimators, with the command that fills it.
    """

    model_id: str
    task: TaskReport
    found: tuple[Named, ...]
    lacking: tuple[str, ...]


def agreements(
    results: Results, models: Sequence[ModelReport], estimators: Sequence[Estimator]
) -> tuple[Agreement, ...]:
    """Return the players that each estimator names, for each model and task with any Shapley values.

    Args:
        results: of the store that the models were read from.
        models: the models of the report.
        estimators: the estimators to compare. Where not all of an estimator's coalitions are stored, smaller settings
            stand in, except for windows: the whole report is of one length.
    """
    found = []
    for model in models:
        for task in model.tasks:
            own = Selection(model.model_id, task.task_id)
            read = [_named(results, own, task.value, estimator) for estimator in estimators]
            named = tuple(one for one, _ in read if one is not None)
            if named:
                lacking = tuple(gap for _, gaps in read for gap in gaps)
                found.append(Agreement(model.model_id, task, named, lacking))
    return tuple(found)


def agreement_table(found: Sequence[Agreement], names: dict[str, str]) -> tuple[PaperTable, ...]:
    """Return one table of all models, or none if no task has Shapley values."""
    sections, notes = [], []
    for model_id, name in names.items():
        rows = []
        for one in (each for each in found if each.model_id == model_id):
            rows += [
                (one.task.name if at == 0 else "", each.title, str(each.n), _text(each))
                for at, each in enumerate(one.found)
            ]
            notes += [*_why(f"{name} on {one.task.name}", one.found), *one.lacking]
        if rows:
            sections.append(Section(name, tuple(rows)))
    if not sections:
        return ()
    title = f"Do the estimators name the same top {TOP}? Each with the probability that it is among the {TOP}"
    header = ("task", "estimator", "n", f"top {TOP}")
    return (PaperTable("estimators", title, header, tuple(sections), tuple(notes)),)


def _named(results: Results, own: Selection, value: str, estimator: Estimator) -> tuple[Named | None, tuple[str, ...]]:
    """Return the players that an estimator names; if there are none and it works in rounds, also its gaps."""

    @cache
    def rows(asked: Estimator) -> Sequence[ShapleyRow]:
        return [row for row in results.answers([Question(asked)], own, value).rows if not row.partial]

    if rows(estimator):
        return _top(estimator, rows(estimator)), ()
    if _reads_windows(estimator):
        return None, ()
    # Smaller settings read a part of the coalitions: where some suffice, all that are smaller still do.
    smaller = estimator.smaller()[::-1]
    stored = bisect_left(smaller, True, key=lambda asked: not rows(asked))
    if stored:
        return _top(smaller[stored - 1], rows(smaller[stored - 1])), ()
    if not estimator.in_rounds:
        return None, ()
    return None, gap_texts(results.answers([Question(estimator)], own, value).gaps, results.path)


def _reads_windows(estimator: Estimator) -> bool:
    return estimator.schedule == WindowFirst.schedule


def _top(estimator: Estimator, rows: Sequence[ShapleyRow]) -> Named:
    first = sorted((row for row in rows if row.phi > 0), key=lambda row: row.rank)[:TOP]
    return Named(estimator, rows[0].n, {row.label: row.p_top3 for row in first}, any(row.phi for row in rows))


def _text(one: Named) -> str:
    return ", ".join(f"{label} ({sure:.2f})" for label, sure in one.players.items()) or "none has a positive value"


def _why(what: str, found: Sequence[Named]) -> list[str]:
    """Return sentences on whether the estimators agree, and on the reason if they differ."""
    if len(found) == 1:
        return [f"{what}: only {found[0].title} can be estimated from what is stored."]
    naming = [one for one in found if one.players]
    nobody = [f"{what}: {_nobody(one)}." for one in found if not one.players]
    all_of_them = "the others" if nobody else "all"
    return [*nobody, f"{what}: {_compared(naming, all_of_them)}."] if len(naming) > 1 else nobody


def _nobody(one: Named) -> str:
    """Return the reason why an estimator names no layer."""
    read = counted(one.n, "document")
    if one.told_apart or one.walks is None:
        return f"by {one.title} no layer has a positive value on its {read}"
    return (
        f"by {one.title} every value is 0, as on its {read} the intact model scores no better than one with "
        "nothing left (to the tolerance at which a walk ends)"
    )


def _compared(found: Sequence[Named], all_of_them: str) -> str:
    common = set.intersection(*(set(one.players) for one in found))
    agreed = all(set(one.players) == common for one in found)
    unsure = dict.fromkeys(
        label
        for one in found
        for label, sure in one.players.items()
        if sure < _SURE and (agreed or label not in common)
    )
    few = f"too few documents to be sure of {', '.join(unsure)}"
    if agreed:
        who = "they" if all_of_them == "all" else all_of_them
        return f"{who} agree, but there are {few}" if unsure else f"{who} agree"
    shared = ", ".join(label for label in found[0].players if label in common)
    named = f"{all_of_them} name {shared}" if shared else f"no layer is named by {all_of_them}"
    if unsure:
        return f"{named}; {few}"
    return f"{named}; of the others each is sure of its own, because {_weighing(found)}"


def _weighing(found: Sequence[Named]) -> str:
    """Return the reason why estimators that are sure name different layers."""
    if all(one.reads_windows for one in found):
        return "window-first takes a layer as the first of its windows, window-ends also as the last"
    if all(one.reads_windows or one.walks is not None for one in found):
        return "windows look at nearly whole models alone, permutations also at what is left of a broken one"
    return "they look at different coalitions"
