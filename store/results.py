"""Reading results: the public way to everything stored, as lists of the dataclasses in ``store.rows``.

from pathlib import Path
from store.results import Results, Selection

results = Results(Path("results.duckdb"))
for row in results.ablation(Selection(task="agreement")).rows:
    print(row.label, row.drop, row.drop_low, row.drop_high)
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from core.coalitions.grouping import SUBLAYERS
from core.coalitions.players import Removed
from core.coalitions.schedules import DEFAULT_MAX_REMOVED, DEFAULT_PERMUTATIONS, DEFAULT_TOLERANCE
from core.errors import CornerstoneError
from core.estimators.question import Question
from core.estimators.registry import WINDOW_ESTIMATORS
from store.file.database import PATIENCE_S, reading
from store.file.location import default_path
from store.reading.ablation import read_ablation
from store.reading.against_exact import read_agreement
from store.reading.answer import Answer, Found, answer_of
from store.reading.coalitions import outcome_rows, read_coalitions
from store.reading.cornerstones import judge
from store.reading.documents import Documents, read_documents
from store.reading.groups import Group, find_groups, with_value
from store.reading.interactions import read_interactions
from store.reading.paper import PaperSelection, read_paper
from store.reading.runs import read_runs
from store.reading.shapley import read_shapley
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

__all__ = ["Answer", "Documents", "Results", "Selection"]


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
            value: a metric that is a mean over documents, such as ``acc``, or one of ``core.values.derived.DERIVED``.

        Raises:
            CornerstoneError: no task selected has such a value.
        """
        with reading(self._path, self._patience) as db:
            groups, gaps = with_value(find_groups(db, selection), value)
            return answer_of(gaps, [read_ablation(db, group, self._path, value) for group in groups])

    def coalitions(self, selection: Selection = Selection(), value: str = "acc") -> Answer[CoalitionRow]:  # noqa: B008
        """Every stored coalition, over the documents stored for it; its drop over those the intact model has too.

        Args:
            selection: which results.
            value: as for ``ablation``; a task that has no acc is listed without.

        Raises:
            CornerstoneError: no task selected has such a value.
        """
        with reading(self._path, self._patience) as db:
            groups = find_groups(db, selection)
            groups, gaps = (groups, []) if value == "acc" else with_value(groups, value)
            return answer_of(gaps, [read_coalitions(db, group, value) for group in groups])

    def outcomes(self, selection: Selection = Selection()) -> Answer[OutcomeRow]:  # noqa: B008
        """Every stored outcome, one row a document and coalition. A log-probability may be minus infinity."""
        with reading(self._path, self._patience) as db:
            return Answer(tuple(row for group in find_groups(db, selection) for row in outcome_rows(db, group)))

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
            value: a metric that is a mean over documents, such as ``acc``, or one of ``core.values.derived.DERIVED``.
            estimator: one of ``core.estimators.registry.ESTIMATORS``; None for both readings of the paper's.
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
        return self.answers(questions, selection, value)

    def answers(
        self,
        questions: Sequence[Question],
        selection: Selection = Selection(),  # noqa: B008
        value: str = "acc",
    ) -> Answer[ShapleyRow]:
        """``shapley`` of one or more questions over the same grouping.

        Raises:
            CornerstoneError: as ``shapley``.
        """
        for question in questions:
            question.refuse_nonsense()  # a wrong name shows before the store is opened
        with reading(self._path, self._patience) as db:
            groups, gaps = with_value(find_groups(db, selection), value)
            return answer_of(gaps, [read_shapley(db, group, self._path, questions, value) for group in groups])

    def interactions(
        self,
        selection: Selection = Selection(),  # noqa: B008
        value: str = "acc",
        max_removed: int = DEFAULT_MAX_REMOVED,
    ) -> Answer[InteractionRow]:
        """What windows of 2..``max_removed`` players lose together but not apart; see ``core.estimators.interactions``.

        Over the documents that every window has; by window size, and then by first player. Where windows of the length
        asked for are not all stored, those of the longest that are make a partial answer, and a note says so.

        Args:
            selection: which results.
            value: a metric that is a mean over documents, such as ``acc`` or ``acc_norm``.
            max_removed: the longest window.

        Raises:
            CornerstoneError: no window has two players, or no task selected has such a metric.
        """
        if max_removed < 2:
            raise CornerstoneError(f"interactions need windows of at least 2 players, not {max_removed}")
        with reading(self._path, self._patience) as db:
            groups, gaps = with_value(find_groups(db, selection), value)
            return answer_of(gaps, [read_interactions(db, group, self._path, max_removed, value) for group in groups])

    def cornerstones(self, selection: PaperSelection = PaperSelection()) -> Answer[CornerstoneRow]:  # noqa: B008
        """Every player of a model under the rule of ``core.paper.cornerstones``, with its evidence.

        Raises:
            CornerstoneError: no such estimator, or no task selected has the value.
        """
        read = read_paper(self._path, selection, self._patience)
        told = Found[CornerstoneRow](notes=list(read.notes))
        return answer_of(read.gaps, [*(judge(values, selection) for values in read.models), told])

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
        question.refuse_nonsense()
        with reading(self._path, self._patience) as db:
            groups, gaps = with_value(find_groups(db, selection), value)
            found = [
                read_agreement(db, group, self._path, question, value, top=top, every=players is None)
                for group in groups
            ]
        return answer_of(gaps, found)

    def runs(self) -> Answer[RunRow]:
        """Every invocation, the latest first. Times are UTC; documents are counted for each task, coalitions once."""
        with reading(self._path, self._patience) as db:
            return Answer(tuple(read_runs(db)))


def _group_row(group: Group) -> GroupRow:
    return GroupRow(**group.heading, kinds=group.kinds, values=group.values)
