"""Compare number formats of the same model: how many answers change, and by how much Shapley values move."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import duckdb
import numpy as np
from numpy.typing import NDArray

from core.coalitions.players import Removed
from core.coalitions.schedules import INTACT
from core.config.gap import Gap
from core.estimators.question import Question
from core.estimators.windows import WindowFirst
from core.statistics.common_top import in_common
from core.statistics.defined import defined
from core.statistics.intervals import FloatArray
from core.statistics.phi_intervals import standard_errors
from core.statistics.rank_correlation import Correlation, correlated, spearman
from core.values.of_task import accuracy_of
from store.comparison_rows import FormatRow
from store.reading.answer import Found
from store.reading.contributions import Contributions, complete
from store.reading.gaps import gap_if_too_large, lacks_coalitions, left_out, no_document, no_intact, only_shorter
from store.reading.group_values import read_values
from store.reading.groups import Group
from store.reading.number_formats import InFormat, alone, doubtful, in_formats, paired
from store.reading.pooled import Values

_LOGPROB: Final = "gold_logprob"
_OF_PHI: Final = ("max_removed", "n", "phi_difference", "phi_player", "phi_se")
_LIKENESS: Final = ("rho", "common")


def read_formats_compared(
    db: duckdb.DuckDBPyConnection,
    asked: Sequence[tuple[Group, str]],
    max_removed: int,
    top: int,
    chosen: Collection[str] | None = None,
    reference: Collection[str] | None = None,
) -> Found[FormatRow]:
    """Read a row for each task and every two number formats of the same model.

    If windows of that length are not all stored in both, the longest that are make a partial answer.

    Args:
        db: an open store.
        asked: groups, each with its value.
        max_removed: the longest window.
        top: how many players count as the top.
        chosen: ids of models, one of which has to be in each pair; None for all.
        reference: ids of models that all others with the same players are compared with, whatever their weights; None
            for the same model's finest format.
    """
    every = in_formats(db, asked)
    pairs = paired(every, chosen, reference)
    found: Found[FormatRow] = Found()
    last: tuple[InFormat, _Read] | None = None
    for one, other in pairs:
        if last is None or last[0] is not one:  # the pairs of one reference follow each other
            last = one, _Read.of(db, one)
        compared = _Compared(one, other, Question(WindowFirst(max_removed)), top)
        with gap_if_too_large(found.gaps, f"{one.title} beside {other.title}"):
            _add(found, compared, last[1], _Read.of(db, other))
    if reference is None:
        found.notes += doubtful(pairs)
        found.gaps += alone(every, pairs, chosen)
    elif not pairs:
        found.gaps.append(Gap("no model with the players of the reference is stored on a task of the reference"))
    return found


@dataclass(frozen=True, slots=True)
class _Compared:
    """Two number formats, and what is asked of them."""

    one: InFormat
    other: InFormat
    question: Question
    top: int


@dataclass(frozen=True, slots=True)
class _Read:
    """The results of a model in one format: the value, whether answers are right, and the right choice's likelihood.

    ``right`` and ``logprobs`` are None where the task has no such numbers.
    """

    values: Values
    right: Values | None
    logprobs: Values | None

    @classmethod
    def of(cls, db: duckdb.DuckDBPyConnection, one: InFormat) -> _Read:
        group, kept = one.group, dict[str, Values]()

        def read(value: str | None) -> Values | None:
            if value is None or value not in group.values:
                return None
            if value not in kept:
                kept[value] = read_values(db, group, value, len(group.players))
            return kept[value]

        values = read(one.value)
        assert values is not None
        return cls(values, read(accuracy_of(one.value, group.mean_metrics)), read(_LOGPROB))


def _add(found: Found[FormatRow], asked: _Compared, one: _Read, other: _Read) -> None:
    """Add the row of two formats, and what is to be said of it; a gap if they have no outcome in common."""
    both = _Both.of(one.values, other.values)
    if not both.there.any():
        what = f"{asked.one.title}: none of its documents and coalitions is stored in {asked.other.dtype} too"
        found.gaps.append(Gap(what, asked.other.after(asked.one, asked.question), asked.other.group.writing))
        return
    for value, values in ((asked.one.value, one.values), (_LOGPROB, one.logprobs)):
        said = [] if values is None else left_out(asked.one.group, value, values)
        found.notes += [sentence for sentence in said if sentence not in found.notes]
    question = _longest(asked, one.values, other.values)
    if question is None:
        found.gaps += _lacking(asked, one.values, other.values, None)
    elif question != asked.question:
        found.partial += _lacking(asked, one.values, other.values, question)
    group = asked.other.group
    found.rows.append(
        FormatRow(
            **group.heading,
            value=asked.one.value,
            reference=asked.one.dtype,
            other=asked.other.dtype,
            documents=int(both.there.any(axis=0).sum()),
            coalitions=int(both.there.any(axis=1).sum()),
            outcomes=int(both.there.sum()),
            accuracy=None if one.right is None else accuracy_of(asked.one.value, group.mean_metrics),
            **_flips(both, one.right, other.right),
            **_logprobs(both, one.logprobs, other.logprobs),
            **_drift(asked, question, one.values, other.values),
            k=asked.top,
            reference_model=asked.one.group.model_name,
            reference_id=asked.one.group.model_id,
        )
    )


@dataclass(frozen=True, slots=True)
class _Both:
    """The outcomes that two formats have: ``there`` has shape (coalitions, documents).

    ``sets`` are the coalitions, and ``places`` tell the documents apart, sorted.
    """

    sets: tuple[Removed, ...]
    places: NDArray[np.int64]
    there: NDArray[np.bool_]

    @classmethod
    def of(cls, one: Values, other: Values) -> _Both:
        sets = tuple(removed for removed in one.scores if removed in other.scores)
        places = np.intersect1d(_places(one), _places(other), assume_unique=True)
        there = np.isfinite(_matrix(one, sets, places)) & np.isfinite(_matrix(other, sets, places))
        return cls(sets, places, there)

    def of_each(self, one: Values, other: Values) -> tuple[FloatArray, FloatArray]:
        """Return further values of these outcomes, each of shape (outcomes,), as far as both formats have them."""
        here, there = _matrix(one, self.sets, self.places), _matrix(other, self.sets, self.places)
        both = self.there & np.isfinite(here) & np.isfinite(there)
        return here[both], there[both]


def _places(values: Values) -> NDArray[np.int64]:
    assert values.places is not None  # only groups of tasks have none
    return values.places


def _matrix(values: Values, sets: Sequence[Removed], places: NDArray[np.int64]) -> FloatArray:
    """Return values of shape (coalitions, documents), NaN where there is none."""
    found = np.full((len(sets), len(places)), np.nan)
    own = _places(values)
    if not len(own):
        return found
    at = np.minimum(np.searchsorted(own, places), len(own) - 1)
    known = own[at] == places
    for row, removed in zip(found, sets, strict=True):
        if removed in values.scores:
            row[known] = values.scores[removed][at[known]]
    return found


def _flips(both: _Both, one: Values | None, other: Values | None) -> dict[str, Any]:
    """Return the columns on answers that are right in one format alone."""
    if one is None or other is None:
        return {"flips": None, "flip_share": None}
    here, there = both.of_each(one, other)
    flips = int((here != there).sum())
    return {"flips": flips, "flip_share": flips / len(here) if len(here) else None}


def _logprobs(both: _Both, one: Values | None, other: Values | None) -> dict[str, Any]:
    """Return the columns on the log-probability of the right choice."""
    columns: dict[str, Any] = {"logprob_median": None, "logprob_largest": None}
    if one is not None and other is not None:
        here, there = both.of_each(one, other)
        differences = np.abs(here - there)
        if len(differences):
            columns = {"logprob_median": float(np.median(differences)), "logprob_largest": float(differences.max())}
    return columns


def _wanted(asked: _Compared, question: Question) -> list[Removed]:
    game = question.of(asked.one.group.players)
    return game.estimator.coalitions(game.units)


def _shared(asked: _Compared, question: Question, one: Values, other: Values) -> NDArray[np.int64]:
    """Return the documents that have all coalitions of a question in both formats."""
    wanted = _wanted(asked, question)
    here, there = (_places(each)[complete(each, wanted)] for each in (one, other))
    return np.intersect1d(here, there, assume_unique=True)


def _longest(asked: _Compared, one: Values, other: Values) -> Question | None:
    """Return the question with the longest windows that some document has in both formats; None if there are none."""
    question = asked.question
    for estimator in (question.estimator, *question.estimator.smaller()):
        shorter = replace(question, estimator=estimator)
        if len(_shared(asked, shorter, one, other)):
            return shorter
    return None


def _lacking(asked: _Compared, one: Values, other: Values, shorter: Question | None) -> list[Gap]:
    """Return a gap for each format that lacks windows of the length asked for.

    Args:
        asked: the formats and the question.
        one: the reference's values.
        other: the other format's.
        shorter: what is answered in place of the question; None if nothing is.
    """
    gaps, question, wanted = [], asked.question, _wanted(asked, asked.question)
    for each, values in ((asked.one, one), (asked.other, other)):
        missing = len(set(wanted) - set(values.scores))
        if complete(values, wanted).any():
            continue
        if shorter is not None:
            gap = only_shorter(each.group, question, missing, len(wanted), shorter)
        elif INTACT not in values.scores:
            gap = no_intact(each.group, question, each.value)
        elif missing:
            gap = lacks_coalitions(each.group, question, missing, len(wanted), each.value)
        else:
            gap = no_document(each.group, question, len(wanted), each.value)
        gaps.append(each.gap(gap))
    if not gaps:
        what = f"{asked.other.title}: no document has all {question.described} in {asked.one.dtype} too"
        gaps.append(Gap(what, asked.other.after(asked.one, question), asked.other.group.writing))
    return gaps


def _drift(asked: _Compared, question: Question | None, one: Values, other: Values) -> dict[str, Any]:
    """Return the columns on Shapley values, over the documents that have all windows in both formats.

    Raises:
        TooLargeError: the value of a coalition is, as a perplexity may be.
    """
    ends = [name + end for name in _LIKENESS for end in ("", "_low", "_high")]
    columns: dict[str, Any] = dict.fromkeys((*_OF_PHI, *ends))
    if question is None:
        return columns
    game = question.of(asked.one.group.players)
    places = _shared(asked, question, one, other)
    here, there = (Contributions.of(each.at(places), game) for each in (one, other))
    moved = np.abs(here.each.mean(axis=1) - there.each.mean(axis=1))
    errors = standard_errors(here.each, float(here.sizes.max()), None)
    furthest = int(np.argmax(moved))
    columns |= {
        "max_removed": game.estimator.most_removed(game.units),
        "n": len(places),
        "phi_difference": float(moved[furthest]),
        "phi_player": game.grouping.labels[furthest] if moved[furthest] > 0 else None,
        "phi_se": defined(float(np.median(errors))) or None,  # 0 is no certainty: nothing varied on these documents
    }
    measures: dict[str, Callable[[FloatArray, FloatArray], float]] = {"rho": spearman}
    if asked.top < game.units:
        measures["common"] = partial(in_common, k=asked.top)
    for name, measure in measures.items():
        columns |= _likeness(name, measure, here.each, there.each)
    return columns


def _likeness(name: str, measure: Correlation, one: FloatArray, other: FloatArray) -> dict[str, Any]:
    found = correlated(measure, one, other)
    ends = (("", found.value), ("_low", found.low), ("_high", found.high))
    return {name + end: defined(number) for end, number in ends}
