"""Compare the estimators task by task: whether they name the same top 3, and if not, why."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from core.coalitions.schedules import FEWEST_PERMUTATIONS
from core.estimators.question import Question
from core.estimators.registry import WINDOW_ESTIMATORS
from core.paper.report import ModelReport, TaskReport
from core.paper.shares import TOP
from store.reading.paper import PaperSelection
from store.rows import Selection, ShapleyRow
from tui.drawing.plain import counted
from tui.paper.layout import PaperTable, Section

if TYPE_CHECKING:
    from store.results import Results

_SURE = 0.95
_PERMUTATION = "permutation"


@dataclass(frozen=True, slots=True)
class Named:
    """The players that an estimator names from ``n`` documents, with the probability that each is among its top.

    ``told_apart`` is whether any value differs from 0. ``walks`` is the number of permutation's walks.
    """

    estimator: str
    n: int
    players: dict[str, float]
    told_apart: bool
    walks: int | None = None

    @property
    def title(self) -> str:
        """Return the name of the estimator, with its number of walks if it has any."""
        return self.estimator if self.walks is None else f"{self.estimator}, {self.walks} walks"


@dataclass(frozen=True, slots=True)
class Agreement:
    """The players that each estimator names for one model on one task.

    ``lacking`` says what to run to add another estimator.
    """

    model_id: str
    task: TaskReport
    found: tuple[Named, ...]
    lacking: tuple[str, ...]


def agreements(
    results: Results, models: Sequence[ModelReport], selection: PaperSelection, walks: Question
) -> tuple[Agreement, ...]:
    """Return the comparison for each model and task that has values by an estimator.

    Args:
        results: the store that the models were read from.
        models: the models to compare estimators of.
        selection: the report's selection, which sets the length of windows.
        walks: the permutation walks to look for; fewer walks with the same seed and tolerance also serve.
    """
    found = []
    for model in models:
        for task in model.tasks:
            own = Selection(model.model_id, task.task_id)
            walked, lacking = _walked(results, own, task.value, walks)
            named = (*_by_windows(results, own, task.value, selection.max_removed), *walked)
            if named:
                found.append(Agreement(model.model_id, task, named, lacking))
    return tuple(found)


def agreement_table(found: Sequence[Agreement], names: dict[str, str], walks: Question) -> tuple[PaperTable, ...]:
    """Return one table of all models, or none if no task has values by an estimator."""
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
    if any(each.walks for one in found for each in one.found):
        notes.append(f"The orders of {_PERMUTATION} are of seed {walks.seed}; a walk ends at {walks.tolerance:g}.")
    title = f"Do the estimators name the same top {TOP}? Each with the probability that it is among the {TOP}"
    header = ("task", "estimator", "n", f"top {TOP}")
    return (PaperTable("estimators", title, header, tuple(sections), tuple(notes)),)


def _by_windows(results: Results, own: Selection, value: str, max_removed: int) -> Iterator[Named]:
    windows = [row for row in results.shapley(own, value, max_removed=max_removed).rows if not row.partial]
    for name in WINDOW_ESTIMATORS:
        if own_rows := [row for row in windows if row.estimator == name]:
            yield _top(name, own_rows)


def _walked(results: Results, own: Selection, value: str, walks: Question) -> tuple[tuple[Named, ...], tuple[str, ...]]:
    """Return what permutation names, with as many walks as are stored.

    If none are stored, return what to run to add them.
    """

    @cache
    def rows(count: int) -> Sequence[ShapleyRow]:
        return results.answers([replace(walks, permutations=count)], own, value).rows

    asked = results.answers([walks], own, value)
    if asked.rows:
        return (_top(_PERMUTATION, asked.rows, walks.permutations),), ()
    # If a number of walks is not stored, no larger one is.
    counts = range(FEWEST_PERMUTATIONS, walks.permutations, 2)
    stored = bisect_left(counts, True, key=lambda count: not rows(count))
    if not stored:
        return (), asked.gaps
    most = counts[stored - 1]
    return (_top(_PERMUTATION, rows(most), most),), ()


def _top(name: str, rows: Sequence[ShapleyRow], walks: int | None = None) -> Named:
    first = sorted((row for row in rows if row.phi > 0), key=lambda row: row.rank)[:TOP]
    return Named(name, rows[0].n, {row.label: row.p_top3 for row in first}, any(row.phi for row in rows), walks)


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
    """Return why an estimator names no layer."""
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
    """Return how the estimators differ."""
    if any(one.walks is not None for one in found):
        return "windows look at nearly whole models alone, permutations also at what is left of a broken one"
    return "window-first takes a layer as the first of its windows, window-ends also as the last"
