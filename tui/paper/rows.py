"""The numbers of the tables one by one, for CSV and JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from core.paper.drops import MeanDrop
from core.paper.report import ModelReport, TaskReport
from core.paper.resampling import Measured
from core.paper.shares import TopShare
from core.values.derived import is_accuracy, unit_of
from store.reading.paper import PaperSelection
from tui.paper.agreement import Agreement

_FRACTION = "fraction"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperRow:
    """One number of one table. ``task`` is a task, ``mean`` over tasks, or ``pooled``.

    Attributes:
        clipped: whether negative values counted as 0, as in the paper.
        unit: ``fraction`` for shares, accuracies and their drops; else the unit of the value, None if it is unknown.
        published: the paper's number.
        layers: the layers that the number is about. An NC drop has none, because it is about all layers but those of
            the C drop. For cornerstones they are the answer.
        published_layers: the paper's answer.
        verdict: the rule's verdict, in rows of evidence. These hold the loss without the layer alone, as a fraction
            of the intact model's score above chance, and its share, both over the counted tasks.
        estimate: the number. In comparisons of estimators, it is the probability that a layer is among the top 3.
        settings: how the estimator was set, in words; in comparisons of estimators only.
    """

    table: str
    model: str
    task: str
    quantity: str
    clipped: bool | None = None
    value: str
    unit: str | None = _FRACTION
    estimator: str | None = None
    max_removed: int | None = None
    permutations: int | None = None
    estimate: float | None = None
    low: float | None = None
    high: float | None = None
    published: float | None = None
    layers: tuple[str, ...] = ()
    published_layers: tuple[str, ...] = ()
    verdict: str | None = None
    n: int | None = None
    model_id: str
    task_id: str | None = None
    settings: str = ""


def paper_rows(
    models: Sequence[ModelReport], compared: Sequence[Agreement], selection: PaperSelection
) -> tuple[PaperRow, ...]:
    """Return every number of the tables.

    These are the stored scores, Tables 1 to 4, the evidence for Table 2, and the players of each estimator.
    """
    return tuple(row for model in models for row in _Rows(model, compared, selection).all())


@dataclass(frozen=True, slots=True)
class _Rows:
    """Makes the rows of one model."""

    model: ModelReport
    compared: Sequence[Agreement]
    selection: PaperSelection

    def all(self) -> Iterator[PaperRow]:
        yield from self._studied()
        yield from self._top_shares()
        yield self._cornerstones()
        yield from self._evidence()
        yield from self._mean_drops()
        yield from self._estimators()

    def _studied(self) -> Iterator[PaperRow]:
        for task in self.model.tasks:
            row = replace(self._row("studied", "intact", task), unit=_unit({task.value}))
            if task.intact is not None:
                yield replace(row, estimate=task.intact, n=task.ablation_documents)
            if task.chance is not None:
                yield replace(row, quantity="chance", estimate=task.chance)

    def _top_shares(self) -> Iterator[PaperRow]:
        model, known = self.model, self.model.published
        for task in model.tasks:
            yield from self._shares(task.top3, self._row("table 1", "top-3 share", task))
        mean = self._row("table 1", "top-3 share")
        yield from self._shares(model.top3, replace(mean, published=known.top3 if known else None))
        top4 = replace(mean, table="figure 2", quantity="top-4 share", published=known.top4 if known else None)
        yield from self._shares(model.top4, top4)
        yield from self._shares(model.pooled, replace(mean, task="pooled"))

    def _shares(self, share: TopShare | None, row: PaperRow) -> Iterator[PaperRow]:
        if share is None:
            return
        tasks = [task for task in self.model.tasks if row.task_id in {None, task.task_id}]
        row = replace(self._by_shapley(row, tasks), layers=self._labels(share.players))
        for clipped, found in ((True, share.clipped), (False, share.unclipped)):
            if found is not None:
                yield _measured(row, found, clipped=clipped)

    def _cornerstones(self) -> PaperRow:
        known = self.model.published
        return replace(
            self._by_shapley(self._row("table 2", "cornerstones"), self.model.tasks),
            layers=self._labels(self.model.cornerstones.players),
            published_layers=known.cornerstones if known else (),
        )

    def _evidence(self) -> Iterator[PaperRow]:
        for each in self.model.cornerstones.evidence:
            counted = [task for task in self.model.tasks if task.task in each.tasks]
            lost = replace(
                self._row("evidence", "lost alone"),
                value=_values(counted),
                layers=(each.label,),
                verdict=each.verdict,
                n=each.n or None,
            )
            if each.collapse is not None:
                yield replace(lost, estimate=each.collapse, low=each.collapse_low, high=each.collapse_high)
            if each.share is not None:
                share = replace(self._by_shapley(lost, counted), quantity="share", clipped=True)
                yield replace(share, estimate=each.share, low=each.share_low, high=each.share_high)

    def _mean_drops(self) -> Iterator[PaperRow]:
        model, known = self.model, self.model.published
        named = self._labels(model.chosen.players if model.chosen else ())
        lost = replace(self._row("table 3", "C drop"), layers=named)
        yield from _drops(model.cornerstone_drop, replace(lost, published=known.cornerstone_drop if known else None))
        other = self._row("table 3", "NC drop")
        yield from _drops(model.other_drop, replace(other, published=known.other_drop if known else None))
        for task in model.tasks:
            row = self._row("table 4", "NC drop", task)
            published = known.other_drops.get(task.task) if known else None
            yield from _drops(task.other_drop, replace(row, published=published))

    def _estimators(self) -> Iterator[PaperRow]:
        for one in (each for each in self.compared if each.model_id == self.model.model_id):
            row = self._row("estimators", "probability of the top 3", one.task)
            for named in one.found:
                longest = self.selection.max_removed if named.reads_windows else None
                row = replace(
                    row,
                    estimator=named.estimator.name,
                    permutations=named.walks,
                    max_removed=longest,
                    settings=", ".join(named.estimator.in_words()),
                    n=named.n,
                )
                for label, sure in named.players.items():
                    yield replace(row, estimate=sure, layers=(label,))

    def _row(self, table: str, quantity: str, task: TaskReport | None = None) -> PaperRow:
        """Return a row without a number, for one task or for all.

        For all tasks, ``n`` is that of the task with the fewest documents.
        """
        tasks = (task,) if task else self.model.tasks
        unit = _unit({each.value for each in tasks}) if quantity.endswith("drop") else _FRACTION
        return PaperRow(
            table=table,
            model=self.model.model,
            task=task.task if task else "mean",
            quantity=quantity,
            value=_values(tasks),
            unit=unit,
            n=_fewest(each.ablation_documents for each in tasks),
            model_id=self.model.model_id,
            task_id=task.task_id if task else None,
        )

    def _by_shapley(self, row: PaperRow, tasks: Sequence[TaskReport]) -> PaperRow:
        fewest = _fewest(task.shapley_documents for task in tasks)
        return replace(row, estimator=self.selection.estimator, max_removed=self.selection.max_removed, n=fewest)

    def _labels(self, players: Sequence[int]) -> tuple[str, ...]:
        return tuple(self.model.players[player].label for player in players)


def _drops(drop: MeanDrop | None, row: PaperRow) -> Iterator[PaperRow]:
    if drop is not None:
        yield _measured(row, drop.clipped, clipped=True)
        yield _measured(row, drop.unclipped, clipped=False)


def _measured(row: PaperRow, found: Measured, *, clipped: bool) -> PaperRow:
    """Return a row with its number. The paper's number stays only with clipped values, because the paper clips."""
    published = row.published if clipped else None
    return replace(row, clipped=clipped, estimate=found.estimate, low=found.low, high=found.high, published=published)


def _values(tasks: Sequence[TaskReport]) -> str:
    return ", ".join(dict.fromkeys(task.value for task in tasks))


def _fewest(counts: Iterator[int]) -> int | None:
    return min((count for count in counts if count), default=None)


def _unit(values: Collection[str]) -> str | None:
    units = {_FRACTION if is_accuracy(value) else unit_of(value) for value in values}
    return units.pop() if len(units) == 1 else None
