"""Whether the estimators name the same top 3, and if not, why: by what is stored, task by task."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.estimators.names import WINDOW_ESTIMATORS
from core.paper.published import TASKS
from core.paper.report import ModelReport
from core.paper.shares import TOP
from core.schedules import DEFAULT_PERMUTATIONS, FEWEST_PERMUTATIONS
from store.paper import PaperSelection
from store.rows import Selection, ShapleyRow
from tui.paper.layout import PaperTable, Section
from tui.text import counted

if TYPE_CHECKING:
    from store.results import Results

_SURE = 0.95
_PERMUTATION = "permutation"


@dataclass(frozen=True, slots=True)
class _Named:
    """The players that an estimator names from ``n`` documents, by the probability that each is among its top.

    ``told_apart`` is whether any value is not 0.
    """

    estimator: str
    n: int
    players: dict[str, float]
    told_apart: bool


def agreement_table(
    results: Results, models: Sequence[ModelReport], names: dict[str, str], selection: PaperSelection
) -> tuple[PaperTable, ...]:
    """One table of all models; none where no task has values by an estimator."""
    sections, notes = [], []
    for model in models:
        rows = []
        for task in model.tasks:
            own = Selection(model.model_id, task.task_id)
            walked, lacking = _walked(results, own, task.value)
            found = [*_by_windows(results, own, task.value, selection.max_removed), *walked]
            if not found:
                continue
            title = TASKS.get(task.task, task.task)
            rows += [(title if at == 0 else "", one.estimator, str(one.n), _text(one)) for at, one in enumerate(found)]
            notes += [*_why(f"{names[model.model_id]} on {title}", found), *lacking]
        if rows:
            sections.append(Section(names[model.model_id], tuple(rows)))
    if not sections:
        return ()
    title = f"Do the estimators name the same top {TOP}? Each with the probability that it is among the {TOP}"
    header = ("task", "estimator", "n", f"top {TOP}")
    return (PaperTable("estimators", title, header, tuple(sections), tuple(notes)),)


def _by_windows(results: Results, own: Selection, value: str, max_removed: int) -> Iterator[_Named]:
    windows = [row for row in results.shapley(own, value, max_removed=max_removed).rows if not row.partial]
    for name in WINDOW_ESTIMATORS:
        if own_rows := [row for row in windows if row.estimator == name]:
            yield _top(name, own_rows)


def _walked(results: Results, own: Selection, value: str) -> tuple[list[_Named], tuple[str, ...]]:
    """What permutation names, by as many walks as are stored; where there are none, what would add the usual ones."""
    usual = results.shapley(own, value, _PERMUTATION)
    if usual.rows:
        return [_top(f"{_PERMUTATION}, {DEFAULT_PERMUTATIONS} walks", usual.rows)], ()
    # Where the fewest are not stored, no more are.
    fewest = results.shapley(own, value, _PERMUTATION, permutations=FEWEST_PERMUTATIONS).rows
    if not fewest:
        return [], usual.gaps
    for walks in range(DEFAULT_PERMUTATIONS - 2, FEWEST_PERMUTATIONS, -2):
        if rows := results.shapley(own, value, _PERMUTATION, permutations=walks).rows:
            return [_top(f"{_PERMUTATION}, {walks} walks", rows)], ()
    return [_top(f"{_PERMUTATION}, {FEWEST_PERMUTATIONS} walks", fewest)], ()


def _top(name: str, rows: Sequence[ShapleyRow]) -> _Named:
    first = sorted((row for row in rows if row.phi > 0), key=lambda row: row.rank)[:TOP]
    return _Named(name, rows[0].n, {row.label: row.p_top3 for row in first}, any(row.phi for row in rows))


def _text(one: _Named) -> str:
    return ", ".join(f"{label} ({sure:.2f})" for label, sure in one.players.items()) or "none has a positive value"


def _why(what: str, found: Sequence[_Named]) -> list[str]:
    """A sentence that tells whether they agree, and what their difference comes from."""
    if len(found) == 1:
        return [f"{what}: only {found[0].estimator} can be estimated from what is stored."]
    naming = [one for one in found if one.players]
    nobody = [f"{what}: {_nobody(one)}." for one in found if not one.players]
    all_of_them = "the others" if nobody else "all"
    return [*nobody, f"{what}: {_compared(naming, all_of_them)}."] if len(naming) > 1 else nobody


def _nobody(one: _Named) -> str:
    """Why an estimator names no layer."""
    read = counted(one.n, "document")
    if one.told_apart or not one.estimator.startswith(_PERMUTATION):
        return f"by {one.estimator} no layer has a positive value on its {read}"
    return (
        f"by {one.estimator} every value is 0, as on its {read} the intact model scores no better than one with "
        "nothing left (to the tolerance at which a walk ends)"
    )


def _compared(found: Sequence[_Named], all_of_them: str) -> str:
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
    return f"{named}; each is sure of the others, as they weigh coalitions differently: {_weighing(found)}"


def _weighing(found: Sequence[_Named]) -> str:
    """How they differ."""
    if any(one.estimator.startswith(_PERMUTATION) for one in found):
        return "windows look at nearly whole models alone, permutations also at what is left of a broken one"
    return "window-first takes a layer as the first of its windows, window-ends also as the last"
