"""Reading results: the public way to everything stored, as lists of the dataclasses in ``store.rows``.

from pathlib import Path
from store.results import Results, Selection

results = Results(Path("results.duckdb"))
for row in results.ablation(Selection(task="agreement")).rows:
    print(row.label, row.drop, row.drop_low, row.drop_high)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import duckdb
import numpy as np

from core.errors import CornerstoneError
from core.intervals import mean_se, paired_drop
from core.players import players_of
from core.schedules import DEFAULT_MAX_REMOVED, INTACT
from core.shapley import ESTIMATORS, estimate, needed
from store.database import default_path, reading
from store.groups import Group, Selection, Values, find_groups, read_values, refuse_value
from store.rows import AblationRow, CoalitionRow, OutcomeRow, RunRow, ShapleyRow

RowT = TypeVar("RowT")

__all__ = ["Answer", "Results", "Selection"]


@dataclass(frozen=True, slots=True)
class Answer(Generic[RowT]):
    """Rows, and in ``gaps`` a sentence for each model and task that could not be answered and what would mend it."""

    rows: tuple[RowT, ...]
    gaps: tuple[str, ...] = ()


class Results:
    """Reads a store. Each call opens the file for as long as it takes and closes it again.

    All methods raise CornerstoneError: there is no store, it cannot be read, or a name fits nothing in it.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path or default_path()

    def ablation(self, selection: Selection = Selection(), value: str = "acc") -> Answer[AblationRow]:  # noqa: B008
        """Each player removed alone against the intact model, over the documents that both have."""
        rows: list[AblationRow] = []
        with reading(self._path) as db:
            groups, gaps = _with_value(find_groups(db, selection), value)
            for group in groups:
                found = list(_ablation(db, group, value))
                rows += found
                if not found:
                    gaps.append(f"{_name(group)}: no ablation stored; {_mend(group, 'ablation')}")
        return Answer(tuple(rows), tuple(gaps))

    def coalitions(self, selection: Selection = Selection()) -> Answer[CoalitionRow]:  # noqa: B008
        """Every stored coalition, over the documents stored for it."""
        with reading(self._path) as db:
            return Answer(tuple(row for group in find_groups(db, selection) for row in _coalitions(db, group)))

    def outcomes(self, selection: Selection = Selection()) -> Answer[OutcomeRow]:  # noqa: B008
        """Every stored outcome, one row a document and coalition."""
        with reading(self._path) as db:
            return Answer(tuple(row for group in find_groups(db, selection) for row in _outcomes(db, group)))

    def shapley(
        self,
        selection: Selection = Selection(),  # noqa: B008
        value: str = "acc",
        estimator: str | None = None,
        max_removed: int = DEFAULT_MAX_REMOVED,
    ) -> Answer[ShapleyRow]:
        """Shapley values by one estimator, or by all; over the documents that every needed coalition has."""
        if estimator is not None and estimator not in ESTIMATORS:
            raise CornerstoneError(f"no estimator {estimator!r}; there is {', '.join(ESTIMATORS)}")
        rows: list[ShapleyRow] = []
        with reading(self._path) as db:
            groups, gaps = _with_value(find_groups(db, selection), value)
            for group in groups:
                values = read_values(db, group, value, longest=max_removed)
                gap = _gap(group, values, max_removed)
                if gap is not None:
                    gaps.append(gap)
                    continue
                for name in ESTIMATORS if estimator is None else (estimator,):
                    rows += _shapley(group, values, value, name, max_removed)
        return Answer(tuple(rows), tuple(gaps))

    def runs(self) -> Answer[RunRow]:
        """Every invocation, the latest first."""
        with reading(self._path) as db:
            rows = db.execute(
                """SELECT r.run, r.started, r.finished, r.state, r.command,
                          coalesce(any_value(m.name), ''), coalesce(list_sort(list_distinct(list(t.name))), []),
                          coalesce(max(len(a.doc_ids)), 0), coalesce(max(len(a.coalitions)), 0),
                          (SELECT count(*) FROM outcomes o WHERE o.run = r.run)
                FROM runs r LEFT JOIN assignments a ON a.run = r.run LEFT JOIN models m ON m.model = a.model
                LEFT JOIN datasets s ON s.dataset = a.dataset LEFT JOIN tasks t ON t.task = s.task
                GROUP BY ALL ORDER BY r.started DESC"""
            ).fetchall()
        return Answer(tuple(_run(*row) for row in rows))


def _with_value(groups: list[Group], value: str) -> tuple[list[Group], list[str]]:
    """The groups whose task has this value, and a sentence for each of the others; raises where no task has it."""
    usable = [group for group in groups if value in group.mean_metrics]
    refusals = [refuse_value(group, value) for group in groups if value not in group.mean_metrics]
    if not usable:
        raise CornerstoneError("; ".join(dict.fromkeys(refusals)))
    return usable, refusals


def _ablation(db: duckdb.DuckDBPyConnection, group: Group, value: str) -> Iterator[AblationRow]:
    values = read_values(db, group, value, longest=1)
    intact = values.of(INTACT)
    if intact is None:
        return
    choices = _choice_counts(db, group, values)
    for player in players_of(group.kinds):
        ablated = values.of((player.number,))
        if ablated is None:
            continue
        both = ~np.isnan(intact) & ~np.isnan(ablated)
        if not both.any():
            continue
        drop = paired_drop(intact[both], ablated[both])
        yield AblationRow(
            model=group.model_name,
            task=group.task_name,
            value=value,
            player=player.number,
            label=player.label,
            layer=player.layer,
            kind=player.kind,
            n=drop.n,
            acc=float(ablated[both].mean()),
            acc_se=mean_se(ablated[both]),
            intact_acc=float(intact[both].mean()),
            drop=drop.drop,
            drop_low=drop.low,
            drop_high=drop.high,
            chance=_chance(choices[both]),
            model_id=group.model_id,
            task_id=group.task_id,
        )


def _choice_counts(db: duckdb.DuckDBPyConnection, group: Group, values: Values) -> np.ndarray[Any, Any]:
    rows = db.execute(
        """SELECT m.doc_id, len(d.choices) FROM members m JOIN documents d ON d.document = m.document
        WHERE m.dataset = ?""",
        [group.dataset],
    ).fetchall()
    counts = dict(rows)
    return np.array([counts[int(doc_id)] for doc_id in values.doc_ids], dtype=np.float64)


def _chance(choices: np.ndarray[Any, Any]) -> float | None:
    return float((1 / choices).mean()) if (choices >= 2).all() else None


def _coalitions(db: duckdb.DuckDBPyConnection, group: Group) -> Iterator[CoalitionRow]:
    acc, acc_norm = (
        read_values(db, group, value) if value in group.mean_metrics else None for value in ("acc", "acc_norm")
    )
    for index, removed, n in _stored_coalitions(db, group, acc):
        scores = None if acc is None else acc.matrix[index][~np.isnan(acc.matrix[index])]
        norms = None if acc_norm is None else acc_norm.of(removed)
        yield CoalitionRow(
            model=group.model_name,
            task=group.task_name,
            removed=removed,
            n=n,
            acc=None if scores is None else float(scores.mean()),
            acc_se=None if scores is None else mean_se(scores),
            acc_norm=None if norms is None else _number(np.nanmean(norms)),
            model_id=group.model_id,
            task_id=group.task_id,
        )


def _stored_coalitions(
    db: duckdb.DuckDBPyConnection, group: Group, acc: Values | None
) -> Iterator[tuple[int, tuple[int, ...], int]]:
    """Index, removed set and document count of each coalition, the shortest first."""
    if acc is not None:
        counts = (~np.isnan(acc.matrix)).sum(axis=1)
        order = sorted(range(len(acc.removed)), key=lambda index: (len(acc.removed[index]), acc.removed[index]))
        yield from ((index, acc.removed[index], int(counts[index])) for index in order)
        return
    rows = db.execute(
        """SELECT c.removed, count(*) FROM members m JOIN outcomes o ON o.document = m.document
        JOIN coalitions c ON c.coalition = o.coalition WHERE m.dataset = ? AND o.model = ?
        GROUP BY c.removed ORDER BY len(c.removed), c.removed""",
        [group.dataset, group.model],
    ).fetchall()
    yield from ((index, tuple(removed), int(n)) for index, (removed, n) in enumerate(rows))


def _outcomes(db: duckdb.DuckDBPyConnection, group: Group) -> Iterator[OutcomeRow]:
    restrict, parameters = "", []
    if group.doc_ids is not None and group.coalitions is not None:
        restrict = "AND m.doc_id IN (SELECT unnest(?::INTEGER[])) AND o.coalition IN (SELECT unnest(?::INTEGER[]))"
        parameters = [list(group.doc_ids), list(group.coalitions)]
    rows = db.execute(
        f"""SELECT c.removed, m.doc_id, d.gold, o.logprobs, o.is_greedy, o.acc, o.acc_norm FROM members m
        JOIN outcomes o ON o.document = m.document JOIN documents d ON d.document = m.document
        JOIN coalitions c ON c.coalition = o.coalition WHERE m.dataset = ? AND o.model = ? {restrict}
        ORDER BY len(c.removed), c.removed, m.doc_id""",
        [group.dataset, group.model, *parameters],
    ).fetchall()
    for removed, doc_id, gold, logprobs, is_greedy, acc, acc_norm in rows:
        yield OutcomeRow(
            model=group.model_name,
            task=group.task_name,
            removed=tuple(removed),
            doc_id=doc_id,
            gold=gold[0] if len(gold) == 1 else tuple(gold),
            logprobs=tuple(logprobs),
            is_greedy=tuple(is_greedy),
            acc=acc,
            acc_norm=acc_norm,
            model_id=group.model_id,
            task_id=group.task_id,
        )


def _gap(group: Group, values: Values, max_removed: int) -> str | None:
    wanted = needed(len(group.kinds), max_removed)
    missing = len(set(wanted) - set(values.removed))
    if missing:
        what = f"{missing} of {len(wanted)} coalitions are missing for windows of up to {max_removed}"
        return f"{_name(group)}: {what}; {_mend(group, f'windows --max-removed {max_removed}')}"
    if not len(_complete(values, wanted)):
        return f"{_name(group)}: no document has all {len(wanted)} coalitions yet; run the same command again"
    return None


def _complete(values: Values, wanted: list[tuple[int, ...]]) -> np.ndarray[Any, Any]:
    """The columns of documents that every wanted coalition has."""
    place = {removed: index for index, removed in enumerate(values.removed)}
    matrix = values.matrix[[place[removed] for removed in wanted]]
    return np.flatnonzero(~np.isnan(matrix).any(axis=0))


def _shapley(group: Group, values: Values, value: str, estimator: str, max_removed: int) -> Iterator[ShapleyRow]:
    wanted = needed(len(group.kinds), max_removed)
    columns = _complete(values, wanted)
    place = {removed: index for index, removed in enumerate(values.removed)}
    outcomes = {removed: values.matrix[place[removed]][columns] for removed in wanted}
    found = estimate(estimator, outcomes, len(group.kinds), max_removed)
    for player in players_of(group.kinds):
        at = player.number
        yield ShapleyRow(
            model=group.model_name,
            task=group.task_name,
            value=value,
            estimator=estimator,
            max_removed=max_removed,
            player=at,
            label=player.label,
            phi=float(found.phi[at]),
            phi_clipped=float(found.phi_clipped[at]),
            se=_number(found.se[at]),
            share=_number(found.share[at]),
            rank=int(found.rank[at]),
            n=found.n,
            phi_low=float(found.phi_low[at]),
            phi_high=float(found.phi_high[at]),
            share_low=_number(found.share_low[at]),
            share_high=_number(found.share_high[at]),
            model_id=group.model_id,
            task_id=group.task_id,
        )


def _run(*columns: Any) -> RunRow:
    run, started, finished, state, command, model, tasks, documents, coalitions, outcomes = columns
    names = tuple(name for name in tasks if name is not None)
    return RunRow(run, started, finished, state, command, model, names, documents, coalitions, outcomes)


def _number(value: Any) -> float | None:
    number = float(value)
    return None if math.isnan(number) else number


def _name(group: Group) -> str:
    return f"{group.model_name} on {group.task_name}"


def _mend(group: Group, schedule: str) -> str:
    return f"`cornerstone run --model {group.model_name} --task {group.task_name} --schedule {schedule}` fills it"
