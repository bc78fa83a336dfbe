"""Reading results: the public way to everything stored, as lists of the dataclasses in ``store.rows``.

from pathlib import Path
from store.results import Results, Selection

results = Results(Path("results.duckdb"))
for row in results.ablation(Selection(task="agreement")).rows:
    print(row.label, row.drop, row.drop_low, row.drop_high)
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import duckdb

from core.alive import is_gone
from core.errors import CornerstoneError
from core.estimators.names import WINDOW_ESTIMATORS
from core.game import Question
from core.grouping import SUBLAYERS
from core.paper.cornerstones import cornerstones
from core.paper.resampling import resample
from core.paper.values import ModelValues
from core.players import Removed, format_removed, players_of
from core.report import Scores, ablation_points, coalition_point
from core.schedules import DEFAULT_MAX_REMOVED, DEFAULT_PERMUTATIONS, DEFAULT_TOLERANCE
from store.agreement import read_agreement
from store.database import PATIENCE_S, reading
from store.documents import Documents, read_documents
from store.gaps import left_out, no_ablation
from store.groups import Group, Values, find_groups, read_values, with_value
from store.interactions import interaction_rows
from store.location import default_path
from store.paper import AUTHORS_VALUES, PaperSelection, read_paper
from store.rows import (
    AblationRow,
    AgreementRow,
    CoalitionRow,
    CornerstoneRow,
    GroupRow,
    InteractionRow,
    OutcomeRow,
    RunRow,
    Selection,
    ShapleyRow,
)
from store.shapley import read_shapley

RowT = TypeVar("RowT")

_BATCH = 10_000

__all__ = ["Answer", "Documents", "Results", "Selection"]


@dataclass(frozen=True, slots=True)
class Answer(Generic[RowT]):
    """Rows, and in ``gaps`` a sentence for each model and task that could not be answered and what would mend it.

    ``notes`` are sentences on the rows: that they are partial, or which documents are left out.
    """

    rows: tuple[RowT, ...]
    gaps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Results:
    """Reads a store. Each call opens the file for as long as it takes and closes it again.

    Rows come by model and task, in an order that does not change. All methods raise CornerstoneError: there is no
    store, it cannot be read, it is in use for ``patience`` seconds, or a name fits nothing in it.
    """

    def __init__(self, path: Path | None = None, patience: float = PATIENCE_S) -> None:
        self._path = path or default_path()
        self._patience = patience

    def ablation(self, selection: Selection = Selection(), value: str = "acc") -> Answer[AblationRow]:  # noqa: B008
        """Each player removed alone against the intact model, over the documents that both have.

        Args:
            selection: which results.
            value: a metric that is a mean over documents, such as ``acc``, or one of ``core.values.DERIVED``.

        Raises:
            CornerstoneError: no task selected has such a value.
        """

        rows: list[AblationRow] = []
        notes: list[str] = []
        with reading(self._path, self._patience) as db:
            groups, gaps = with_value(find_groups(db, selection), value)
            for group in groups:
                values = read_values(db, group, value, longest=1)
                found = list(_ablation(group, value, values))
                gaps += [] if found else [no_ablation(group, self._path)]
                notes += left_out(group, value, values)
                rows += found
        return Answer(tuple(rows), tuple(gaps), tuple(notes))

    def coalitions(self, selection: Selection = Selection(), value: str = "acc") -> Answer[CoalitionRow]:  # noqa: B008
        """Every stored coalition, over the documents stored for it; its drop over those the intact model has too.

        Args:
            selection: which results.
            value: as for ``ablation``; a task that has no acc is listed without.

        Raises:
            CornerstoneError: no task selected has such a value.
        """
        rows: list[CoalitionRow] = []
        notes: list[str] = []
        with reading(self._path, self._patience) as db:
            groups = find_groups(db, selection)
            groups, gaps = (groups, []) if value == "acc" else with_value(groups, value)
            for group in groups:
                values = read_values(db, group, value, len(group.kinds)) if value in group.values else None
                rows += _coalitions(db, group, value, values.scores if values is not None else {})
                notes += [] if values is None else left_out(group, value, values)
        return Answer(tuple(rows), tuple(gaps), tuple(notes))

    def outcomes(self, selection: Selection = Selection()) -> Answer[OutcomeRow]:  # noqa: B008
        """Every stored outcome, one row a document and coalition. A log-probability may be minus infinity."""
        with reading(self._path, self._patience) as db:
            return Answer(tuple(row for group in find_groups(db, selection) for row in _outcomes(db, group)))

    def documents(
        self,
        selection: Selection,
        removed: Removed,
        *,
        only_changed: bool = False,
        limit: int = 500,
        offset: int = 0,
    ) -> Documents:
        """A coalition's documents beside the intact model's, a page of them at a time.

        Args:
            selection: one model on one task; ids tell apart what shares a name.
            removed: the coalition.
            only_changed: leave out those on which the model picks and scores as if intact.
            limit: the most rows.
            offset: how many to leave out before them.

        Raises:
            CornerstoneError: the selection fits several models, tasks or data sets.
        """
        with reading(self._path, self._patience) as db:
            groups = find_groups(db, selection)
            if len(groups) > 1:
                fits = ", ".join(f"{g.model_name}@{g.model_id} on {g.task_name}@{g.task_id}" for g in groups)
                raise CornerstoneError(f"documents are of one model on one task; this selects {fits}")
            return read_documents(db, groups[0], removed, only_changed=only_changed, limit=limit, offset=offset)

    def groups(self, selection: Selection = Selection()) -> Answer[GroupRow]:  # noqa: B008
        """Every model and task of which something is stored."""
        with reading(self._path, self._patience) as db:
            return Answer(tuple(_group_row(group) for group in find_groups(db, selection)))

    def shapley(  # noqa: PLR0913 what identifies an estimate
        self,
        selection: Selection = Selection(),  # noqa: B008
        value: str = "acc",
        estimator: str | None = None,
        max_removed: int = DEFAULT_MAX_REMOVED,
        *,
        players: str = SUBLAYERS,
        permutations: int = DEFAULT_PERMUTATIONS,
        seed: int = 0,
        tolerance: float = DEFAULT_TOLERANCE,
    ) -> Answer[ShapleyRow]:
        """Shapley values over the documents that every coalition needed has.

        Where windows of the length asked for are not all stored, those of the longest that are make a partial answer.

        Args:
            selection: which results.
            value: a metric that is a mean over documents, such as ``acc``, or one of ``core.values.DERIVED``.
            estimator: one of ``core.estimators.names.ESTIMATORS``; None for both readings of the paper's.
            max_removed: the longest window, counted in units.
            players: the grouping whose units share the value.
            permutations: walks, for permutation.
            seed: of their orders.
            tolerance: at which a walk ends.

        Raises:
            CornerstoneError: no such estimator or grouping, or no task selected has such a value.
        """
        names = WINDOW_ESTIMATORS if estimator is None else (estimator,)
        questions = [Question(name, players, max_removed, permutations, seed, tolerance) for name in names]
        for question in questions:
            question.of(players_of(("attn", "ffn")))  # a wrong name shows before the store is opened
        with reading(self._path, self._patience) as db:
            groups, gaps = with_value(find_groups(db, selection), value)
            found = [read_shapley(db, group, self._path, questions, value) for group in groups]
        return Answer(
            tuple(row for one in found for row in one.rows),
            (*gaps, *(gap for one in found for gap in one.gaps)),
            tuple(note for one in found for note in one.notes),
        )

    def interactions(
        self,
        selection: Selection = Selection(),  # noqa: B008
        value: str = "acc",
        max_removed: int = DEFAULT_MAX_REMOVED,
    ) -> Answer[InteractionRow]:
        """What windows of 2..``max_removed`` players lose together but not apart; see ``core.interactions``.

        Over the documents that every window has; by window size, and then by first player.

        Args:
            selection: which results.
            value: a metric that is a mean over documents, such as ``acc`` or ``acc_norm``.
            max_removed: the longest window.

        Raises:
            CornerstoneError: no window has two players, or no task selected has such a metric.
        """
        if max_removed < 2:
            raise CornerstoneError(f"interactions need windows of at least 2 players, not {max_removed}")

        rows: list[InteractionRow] = []
        notes: list[str] = []
        with reading(self._path, self._patience) as db:
            groups, gaps = with_value(find_groups(db, selection), value)
            for group in groups:
                values = read_values(db, group, value, longest=max_removed)
                notes += left_out(group, value, values)
                match interaction_rows(group, values, value, max_removed, self._path):
                    case str(gap):
                        gaps.append(gap)
                    case found:
                        rows += found
        return Answer(tuple(rows), tuple(gaps), tuple(notes))

    def cornerstones(self, selection: PaperSelection = PaperSelection()) -> Answer[CornerstoneRow]:  # noqa: B008
        """Every player of a model under the rule of ``core.paper.cornerstones``, with its evidence.

        Raises:
            CornerstoneError: no such estimator, or no task selected has the metric.
        """
        read = read_paper(self._path, selection, self._patience)
        rows = [row for values in read.models for row in _cornerstones(values, selection)]
        return Answer(tuple(rows), read.gaps)

    def agreement(  # noqa: PLR0913 what identifies the estimates compared
        self,
        selection: Selection = Selection(),  # noqa: B008
        value: str = "acc",
        players: str | None = None,
        max_removed: int = DEFAULT_MAX_REMOVED,
        *,
        top: int = 3,
        permutations: int = DEFAULT_PERMUTATIONS,
        seed: int = 0,
        tolerance: float = DEFAULT_TOLERANCE,
    ) -> Answer[AgreementRow]:
        """Every estimator against the exact values, where all coalitions of a grouping's units are stored.

        Args:
            selection: which results.
            value: as for ``shapley``.
            players: the grouping; None for every one that has its exact values stored.
            max_removed: the longest windows that are tried; shorter ones are too.
            top: how many units count as the top.
            permutations: walks, for permutation.
            seed: of their orders.
            tolerance: at which a walk ends.

        Raises:
            CornerstoneError: no such grouping, or no task selected has such a value.
        """
        question = Question("permutation", players or SUBLAYERS, max_removed, permutations, seed, tolerance)
        question.of(players_of(("attn", "ffn")))
        with reading(self._path, self._patience) as db:
            groups, gaps = with_value(find_groups(db, selection), value)
            found = [
                read_agreement(db, group, self._path, question, value, top=top, every=players is None)
                for group in groups
            ]
        return Answer(
            tuple(row for one in found for row in one.rows),
            (*gaps, *(gap for one in found for gap in one.gaps)),
            tuple(note for one in found for note in one.notes),
        )

    def runs(self) -> Answer[RunRow]:
        """Every invocation, the latest first. Times are UTC; documents are counted for each task, coalitions once."""
        with reading(self._path, self._patience) as db:
            rows = db.execute(
                """WITH asked AS (
                    SELECT run, dataset, len(list_distinct(flatten(list(doc_ids)))) AS documents
                    FROM assignments GROUP BY run, dataset
                ), tasks_of AS (
                    SELECT run, sum(documents)::BIGINT AS documents, list_sort(list_distinct(list(t.name))) AS tasks
                    FROM asked JOIN datasets USING (dataset) JOIN tasks t USING (task) GROUP BY run
                ), sets_of AS (
                    SELECT run, any_value(m.name) AS model, len(list_distinct(flatten(list(coalitions)))) AS coalitions
                    FROM assignments JOIN models m USING (model) GROUP BY run
                ), kept AS (SELECT run, count(*) AS outcomes FROM outcomes GROUP BY run)
                SELECT run, started, finished, state, versions, command, coalesce(model, ''), coalesce(tasks, []),
                       coalesce(documents, 0), coalesce(coalitions, 0), coalesce(outcomes, 0)
                FROM runs LEFT JOIN tasks_of USING (run) LEFT JOIN sets_of USING (run) LEFT JOIN kept USING (run)
                ORDER BY started DESC, run"""
            ).fetchall()
        return Answer(tuple(_run(*row) for row in rows))


def _ablation(group: Group, value: str, values: Values) -> Iterator[AblationRow]:
    for point in ablation_points(values.scores, values.choices, players_of(group.kinds)):
        yield AblationRow(**group.heading, value=value, **asdict(point))


def _coalitions(db: duckdb.DuckDBPyConnection, group: Group, value: str, scores: Scores) -> Iterator[CoalitionRow]:
    (outcomes, parameters), heading, players = group.outcomes, group.heading, players_of(group.kinds)
    rows = db.execute(
        f"""SELECT c.removed, count(*), avg(o.acc_norm)
        {outcomes} GROUP BY c.removed ORDER BY len(c.removed), c.removed""",
        parameters,
    ).fetchall()
    for numbers, n, acc_norm in rows:
        removed = tuple(numbers)
        point = coalition_point(scores, removed)
        paired = point if removed else None
        yield CoalitionRow(
            **heading,
            removed=removed,
            n=n if value == "acc" else point.n if point is not None else 0,
            acc=None if point is None else point.acc,
            acc_se=None if point is None else point.acc_se,
            acc_norm=acc_norm,
            label=format_removed(removed, players),
            drop=None if paired is None else paired.drop,
            drop_low=None if paired is None else paired.drop_low,
            drop_high=None if paired is None else paired.drop_high,
            value=value,
        )


def _outcomes(db: duckdb.DuckDBPyConnection, group: Group) -> Iterator[OutcomeRow]:
    (outcomes, parameters), heading = group.outcomes, group.heading
    rows = db.execute(
        f"""SELECT c.removed, m.doc_id, (SELECT d.gold FROM documents d WHERE d.document = m.document),
                   o.logprobs, o.is_greedy, o.acc, o.acc_norm
        {outcomes} ORDER BY len(c.removed), c.removed, m.doc_id, m.document""",
        parameters,
    )
    while batch := rows.fetchmany(_BATCH):
        for removed, doc_id, gold, logprobs, is_greedy, acc, acc_norm in batch:
            yield OutcomeRow(
                **heading,
                removed=tuple(removed),
                doc_id=doc_id,
                gold=gold[0] if len(gold) == 1 else tuple(gold) or None,
                logprobs=tuple(logprobs),
                is_greedy=tuple(is_greedy),
                acc=acc,
                acc_norm=acc_norm,
            )


def _cornerstones(values: ModelValues, selection: PaperSelection) -> Iterator[CornerstoneRow]:
    for found in cornerstones(resample(values)).evidence:
        evidence = asdict(found)
        yield CornerstoneRow(
            model=values.model,
            model_id=values.model_id,
            value=selection.value or " or ".join(AUTHORS_VALUES),
            estimator=selection.estimator,
            max_removed=selection.max_removed,
            cornerstone=evidence.pop("verdict"),
            **evidence,
        )


def _group_row(group: Group) -> GroupRow:
    return GroupRow(**group.heading, kinds=group.kinds, values=group.values)


def _run(*columns: Any) -> RunRow:
    run, started, finished, state, versions, command, model, tasks, documents, coalitions, outcomes = columns
    if state == "running" and is_gone(json.loads(versions)):
        state = "interrupted"
    return RunRow(run, started, finished, state, command, model, tuple(tasks), documents, coalitions, outcomes)
