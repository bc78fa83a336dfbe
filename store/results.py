"""Read results: the public way to everything stored, as rows of the dataclasses in ``store.rows``.

from pathlib import Path
from store.results import Results, Selection

results = Results(Path("results.duckdb"))
for row in results.ablation(Selection(task="agreement")).rows:
    print(row.label, row.drop, row.drop_low, row.drop_high)
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import duckdb

from core.coalitions.grouping import SUBLAYERS, grouping_name
from core.coalitions.players import Removed
from core.coalitions.schedules import DEFAULT_MAX_REMOVED
from core.config.gap import Gap
from core.errors import CornerstoneError
from core.estimators.exact import Exact
from core.estimators.question import Question
from core.estimators.registry import checked, estimator_named, estimators, window_readings
from core.estimators.setting import Number
from core.shapiq_approximators import lacking
from store.comparison_rows import AgreementRow, FormatRow, PairRow, ValueRow
from store.file.database import reading
from store.file.location import default_path
from store.file.patience import PATIENCE_S, OnWait
from store.reading.ablation import read_ablation
from store.reading.against_exact import Comparison, read_agreement
from store.reading.answer import Answer, Found, answer_of
from store.reading.coalitions import outcome_rows, read_coalitions
from store.reading.cornerstones import judge
from store.reading.documents import Documents, Page, read_documents
from store.reading.formats_compared import read_formats_compared
from store.reading.groups import Group, find_groups, named_groups, with_value
from store.reading.interactions import read_interactions
from store.reading.pairs import read_pairs
from store.reading.paper import PaperSelection, read_paper
from store.reading.runs import read_runs
from store.reading.scores import read_score
from store.reading.shapley import read_shapley
from store.reading.values_compared import read_values_compared
from store.rows import (
    AblationRow,
    CoalitionRow,
    CornerstoneRow,
    GroupRow,
    InteractionRow,
    OutcomeRow,
    RunRow,
    ScoreRow,
    Selection,
    ShapleyRow,
)

__all__ = ["Answer", "Documents", "Gap", "Page", "Results", "Selection"]


class Results:
    """Reads a store. Each call opens the file and closes it again.

    Rows are ordered by model and task, always in the same way. Every method raises CornerstoneError if there is no
    store, if it is damaged, cannot be read or stays in use for ``patience`` seconds, or if a name fits nothing in it.
    ``on_wait`` hears a sentence once a call has waited for 2 seconds.
    """

    def __init__(self, path: Path | None = None, patience: float = PATIENCE_S, on_wait: OnWait | None = None) -> None:
        self._path = path or default_path()
        self._patience = patience
        self._on_wait = on_wait

    @property
    def path(self) -> Path:
        """The store's file."""
        return self._path

    def opened(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """Open the file as long as the context lasts. A table of your own reads ``with results.opened() as db:``."""
        return reading(self._path, self._patience, self._on_wait)

    def ablation(
        self,
        selection: Selection = Selection(),  # noqa: B008
        value: str | None = None,
        cost: float | None = None,
    ) -> Answer[AblationRow]:
        """Read each player's ablation: the drop without it, over the documents that the intact model has too.

        Args:
            selection: the results to read.
            value: a metric that is a mean over documents, such as ``acc``, a value of the corpus
                (``core.values.corpus``), or a derived value (``core.values.derived``). None for each task's own: acc,
                else its first of these.
            cost: decide which drops are above this much of the value; None for what the latest run asked about.

        Raises:
            CornerstoneError: no task selected has such a value, or none drops by so much.
        """
        with self.opened() as db:
            asked, gaps = with_value(find_groups(db, selection, with_task_groups=True), value)
            return answer_of(gaps, [read_ablation(db, group, name, cost) for group, name in asked])

    def scores(self, selection: Selection = Selection(), value: str | None = None) -> Answer[ScoreRow]:  # noqa: B008
        """Read the intact model's score for each model and task.

        Args:
            selection: the results to read.
            value: as for ``ablation``.

        Raises:
            CornerstoneError: no task selected has such a value.
        """
        with self.opened() as db:
            asked, gaps = with_value(find_groups(db, selection, with_task_groups=True), value)
            return answer_of(gaps, [read_score(db, group, name) for group, name in asked])

    def pairs(self, selection: Selection = Selection(), value: str | None = None) -> Answer[PairRow]:  # noqa: B008
        """Compare every two intact models on the documents of a task that both were evaluated on.

        Args:
            selection: the results to read; a model selects the pairs that it is in.
            value: as for ``ablation``.

        Raises:
            CornerstoneError: no task selected has such a value.
        """
        with self.opened() as db:
            groups = find_groups(db, replace(selection, model=None))
            only = () if selection.model is None else named_groups(groups, selection.model, None)
            asked, gaps = with_value(groups, value)
            return answer_of(gaps, [read_pairs(db, asked, [group.model_id for group in only])])

    def coalitions(self, selection: Selection = Selection(), value: str | None = None) -> Answer[CoalitionRow]:  # noqa: B008
        """Read every stored coalition, over its documents, with its drop over those that the intact model has too.

        Args:
            selection: the results to read.
            value: as for ``ablation``. With None, a task that has no value is listed without one.

        Raises:
            CornerstoneError: no task selected has such a value.
        """
        with self.opened() as db:
            groups = find_groups(db, selection, with_task_groups=True)
            asked, gaps = [(each, each.own_value) for each in groups], list[Gap]()
            if value is not None:
                asked, gaps = with_value(groups, value)
            return answer_of(gaps, [read_coalitions(db, group, name) for group, name in asked])

    def outcomes(self, selection: Selection = Selection()) -> Answer[OutcomeRow]:  # noqa: B008
        """Read every stored outcome, one for each document and coalition. A log-probability may be minus infinity."""
        with self.opened() as db:
            return Answer(tuple(row for group in find_groups(db, selection) for row in outcome_rows(db, group)))

    def documents(
        self,
        selection: Selection,
        removed: Removed,
        value: str | None = None,
        page: Page = Page(),  # noqa: B008
        beside: str | None = None,
    ) -> Documents:
        """Read a coalition's documents beside the intact model's, one page at a time.

        Args:
            selection: one model on one task. Ids tell apart models or tasks of the same name.
            removed: the numbers of the removed players.
            value: the score to read; None for the task's own.
            page: the documents to read.
            beside: another model, of which the same coalition is read in place of the intact model, over the documents
                that both have.

        Raises:
            CornerstoneError: the selection fits several models, tasks or data sets, the task has no such value, or the
                other model has no such documents.
        """
        with self.opened() as db:
            groups = find_groups(db, selection)
            if len(groups) > 1:
                fits = ", ".join(f"{g.model_name}@{g.model_id} on {g.task_name}@{g.task_id}" for g in groups)
                raise CornerstoneError(f"documents are of one model on one task; this selects {fits}")
            if value is not None:
                with_value(groups, value)
            other = None
            if beside is not None:
                everyone = find_groups(db, Selection(task=f"{groups[0].task_name}@{groups[0].task_id}"))
                other, *more = named_groups(everyone, beside, None)
                if more:
                    raise CornerstoneError(
                        f"{beside} fits several models: {', '.join(g.model_id for g in (other, *more))}"
                    )
            return read_documents(db, groups[0], value or groups[0].own_value, removed, page, other)

    def groups(self, selection: Selection = Selection()) -> Answer[GroupRow]:  # noqa: B008
        """Read every model and task that has results."""
        with self.opened() as db:
            return Answer(tuple(_group_row(group) for group in find_groups(db, selection)))

    def shapley(
        self,
        selection: Selection = Selection(),  # noqa: B008
        value: str | None = None,
        estimator: str | None = None,
        *,
        players: str = SUBLAYERS,
        **settings: Number,
    ) -> Answer[ShapleyRow]:
        """Estimate Shapley values, each over the documents that have all coalitions that it is made of.

        Documents count where they tell of two units at least. Where values are made of all the estimator's coalitions,
        all are over the same documents.

        If windows of the length asked for are not all stored, the longest that are make a partial answer.

        Args:
            selection: the results to read.
            value: as for ``ablation``.
            estimator: one of ``core.estimators.registry.estimators()``; None for both window estimators.
            players: the grouping whose units share the value, such as ``blocks:3``.
            settings: the estimator's settings by name, such as ``max_removed=3``.

        Raises:
            CornerstoneError: no such estimator, setting or grouping, or no task selected has such a value.
        """
        names = window_readings() if estimator is None else (estimator,)
        chosen = checked(settings)
        return self.answers([Question(estimator_named(name, chosen), players) for name in names], selection, value)

    def answers(
        self,
        questions: Sequence[Question],
        selection: Selection = Selection(),  # noqa: B008
        value: str | None = None,
    ) -> Answer[ShapleyRow]:
        """Estimate Shapley values for questions over the same grouping.

        Args:
            questions: estimators with their settings and grouping.
            selection: the results to read.
            value: as for ``ablation``.

        Raises:
            CornerstoneError: as for ``shapley``.
        """
        with self.opened() as db:
            asked, gaps = with_value(find_groups(db, selection, with_task_groups=True), value)
            return answer_of(gaps, [read_shapley(db, group, questions, name) for group, name in asked])

    def interactions(
        self,
        selection: Selection = Selection(),  # noqa: B008
        value: str | None = None,
        max_removed: int = DEFAULT_MAX_REMOVED,
    ) -> Answer[InteractionRow]:
        """Read how the players of each window interact, for windows of 2 to ``max_removed`` players.

        ``core.estimators.interactions`` defines the effect. Effects are over the documents that every window has. Rows
        are ordered by window size and then by first player. If windows of the length asked for are not all stored, the
        longest that are make a partial answer.

        Args:
            selection: the results to read.
            value: as for ``ablation``.
            max_removed: the longest window.

        Raises:
            CornerstoneError: ``max_removed`` is less than 2, or no task selected has such a value.
        """
        if max_removed < 2:
            raise CornerstoneError(f"interactions need windows of at least 2 players, not {max_removed}")
        with self.opened() as db:
            asked, gaps = with_value(find_groups(db, selection, with_task_groups=True), value)
            return answer_of(gaps, [read_interactions(db, group, max_removed, name) for group, name in asked])

    def cornerstones(self, selection: PaperSelection = PaperSelection()) -> Answer[CornerstoneRow]:  # noqa: B008
        """Judge every player of a model by the rule of ``core.paper.cornerstones``, and give the evidence.

        Args:
            selection: the models and tasks to judge, the value and the estimator.

        Raises:
            CornerstoneError: no such estimator, or no task selected has the value.
        """
        read = read_paper(self._path, selection, self._patience, self._on_wait)
        told = Found[CornerstoneRow](notes=list(read.notes))
        return answer_of(read.gaps, [*(judge(values, selection) for values in read.models), told])

    def agreement(
        self,
        selection: Selection = Selection(),  # noqa: B008
        value: str | None = None,
        *,
        players: str | None = None,
        top: int = 3,
        shapiq: bool = False,
        **settings: Number,
    ) -> Answer[AgreementRow]:
        """Compare every estimator with the exact values, for groupings whose coalitions are all stored.

        Args:
            selection: the results to read.
            value: as for ``ablation``.
            players: the grouping; None for all whose exact values are stored.
            top: how many units count as the top.
            shapiq: whether to compare shapiq's approximators too. They draw their own coalitions, by ``seed``, as many
                as our estimators read. A note says what is not installed for them.
            settings: the estimators' settings by name. Windows shorter than ``max_removed`` are compared too.

        Raises:
            CornerstoneError: no such setting or grouping, or no task selected has such a value.
        """
        if players is not None:
            grouping_name(players)  # a wrong name shows before the store is opened
        chosen = checked(settings)
        others = tuple(estimator_named(name, chosen) for name in estimators() if name != Exact.name)
        absent = lacking() if shapiq else None
        drawn_by = int(chosen.get("seed", 0)) if shapiq and absent is None else None
        wanted = Comparison(others, players, top, drawn_by)
        with self.opened() as db:
            asked, gaps = with_value(find_groups(db, selection), value)
            found = [read_agreement(db, group, name, wanted) for group, name in asked]
        told = Found[AgreementRow](notes=[] if absent is None else [absent])
        return answer_of(gaps, [*found, told])

    def values(
        self,
        selection: Selection = Selection(),  # noqa: B008
        max_removed: int = DEFAULT_MAX_REMOVED,
    ) -> Answer[ValueRow]:
        """Compare all values of a task by window-first: how soon each decides the top, and how like it ranks.

        Nothing is evaluated: all values follow from the same stored outcomes. If windows of the length asked for are
        not all stored, the longest that are make a partial answer.

        Args:
            selection: the results to read. A group of tasks stands for its tasks.
            max_removed: the longest window.

        Raises:
            CornerstoneError: ``max_removed`` is out of range, or no task selected has a value.
        """
        checked({"max_removed": max_removed})
        with self.opened() as db:
            asked, gaps = with_value(find_groups(db, selection), None)
            return answer_of(gaps, [read_values_compared(db, group, max_removed, own) for group, own in asked])

    def formats(
        self,
        selection: Selection = Selection(),  # noqa: B008
        value: str | None = None,
        *,
        reference: str | None = None,
        max_removed: int = DEFAULT_MAX_REMOVED,
        top: int = 3,
    ) -> Answer[FormatRow]:
        """Compare the number formats of each model, such as float32 and bfloat16, on the outcomes that both have.

        Args:
            selection: the results to read; a model selects the pairs that it is in.
            value: as for ``ablation``.
            reference: a model, by name, that all others with the same players are compared with, whatever their
                weights, such as the original of a quantized model. None compares every two formats of the same weights
                with each other; float32 is the reference if it is there, else the finest format.
            max_removed: the longest window of the Shapley values.
            top: how many players count as the top.

        Raises:
            CornerstoneError: ``max_removed`` or ``top`` is out of range, no task selected has such a value, or a name
                fits nothing.
        """
        checked({"max_removed": max_removed})
        if top < 1:
            raise CornerstoneError(f"a top has at least 1 player, not {top}")
        with self.opened() as db:
            groups = find_groups(db, replace(selection, model=None))
            chosen, first = (
                None if name is None else {group.model_id for group in named_groups(groups, name, None)}
                for name in (selection.model, reference)
            )
            asked, gaps = with_value(groups, value)
            return answer_of(gaps, [read_formats_compared(db, asked, max_removed, top, chosen, first)])

    def runs(self) -> Answer[RunRow]:
        """Read every run, the latest first. Times are UTC. Documents count once for each task, coalitions once."""
        with self.opened() as db:
            return Answer(tuple(read_runs(db)))


def _group_row(group: Group) -> GroupRow:
    return GroupRow(**group.heading, kinds=group.kinds, values=group.values)
