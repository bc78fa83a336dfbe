"""The tables' numbers one by one, for CSV and JSON."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from core.paper.drops import MeanDrop
from core.paper.report import ModelReport, TaskReport
from core.paper.resampling import Measured
from core.paper.shares import TopShare
from core.values import is_accuracy, unit_of

_FRACTION = "fraction"


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One number of one table. ``task`` is a task, ``mean`` over tasks, or ``pooled``.

    Shares are fractions, and so are drops of accuracies; other drops are in the value's own ``unit``, None where that
    is not known here.
    ``clipped`` says whether negative values counted as 0, as in the paper. ``published`` is the paper's number.
    ``layers`` are those that the number is of, for an NC drop all but those of the C drop; for cornerstones they are
    the answer, and ``published_layers`` the paper's.
    """

    table: str
    model: str
    task: str
    quantity: str
    clipped: bool | None
    value: str
    unit: str | None
    estimator: str | None
    estimate: float | None
    low: float | None
    high: float | None
    published: float | None
    layers: tuple[str, ...]
    published_layers: tuple[str, ...]
    n: int | None
    model_id: str
    task_id: str | None


def paper_rows(models: Sequence[ModelReport], estimator: str) -> tuple[PaperRow, ...]:
    """Every number of Tables 1 to 4."""
    return tuple(row for model in models for row in _Rows(model, estimator).all())


@dataclass(frozen=True, slots=True)
class _Rows:
    model: ModelReport
    estimator: str

    def all(self) -> Iterator[PaperRow]:
        known = self.model.published
        for task in self.model.tasks:
            yield from self._shares(task.top3, "top-3 share", None, task)
        yield from self._shares(self.model.top3, "top-3 share", known.top3 if known else None, None)
        yield from self._shares(self.model.top4, "top-4 share", known.top4 if known else None, None)
        yield from self._shares(self.model.pooled, "top-3 share", None, None, name="pooled")
        yield self._cornerstones()
        named = self.model.chosen.players if self.model.chosen else ()
        paper = known.cornerstone_drop if known else None
        yield from self._drops("table 3", self.model.cornerstone_drop, "C drop", named, paper, None)
        yield from self._drops(
            "table 3", self.model.other_drop, "NC drop", (), known.other_drop if known else None, None
        )
        for task in self.model.tasks:
            paper = known.other_drops.get(task.task) if known else None
            yield from self._drops("table 4", task.other_drop, "NC drop", (), paper, task)

    def _shares(
        self, share: TopShare | None, quantity: str, paper: float | None, task: TaskReport | None, *, name: str = "mean"
    ) -> Iterator[PaperRow]:
        if share is None:
            return
        for clipped, found in ((True, share.clipped), (False, share.unclipped)):
            if found is not None:
                table = "figure 2" if share.top == 4 else "table 1"
                yield self._row(table, quantity, clipped, found, share.players, paper if clipped else None, task, name)

    def _drops(
        self,
        table: str,
        drop: MeanDrop | None,
        quantity: str,
        players: Sequence[int],
        paper: float | None,
        task: TaskReport | None,
    ) -> Iterator[PaperRow]:
        if drop is None:
            return
        for clipped, found in ((True, drop.clipped), (False, drop.unclipped)):
            yield self._row(table, quantity, clipped, found, players, paper if clipped else None, task, "mean")

    def _cornerstones(self) -> PaperRow:
        known = self.model.published
        row = self._row("table 2", "cornerstones", None, None, self.model.cornerstones.players, None, None, "mean")
        return row if known is None else replace(row, published_layers=known.cornerstones)

    def _row(  # noqa: PLR0913, PLR0917 the columns
        self,
        table: str,
        quantity: str,
        clipped: bool | None,
        found: Measured | None,
        players: Sequence[int],
        paper: float | None,
        task: TaskReport | None,
        name: str,
    ) -> PaperRow:
        shapley = not quantity.endswith("drop")
        tasks = self.model.tasks if task is None else (task,)
        counts = [each.shapley_documents if shapley else each.ablation_documents for each in tasks]
        return PaperRow(
            table=table,
            model=self.model.model,
            task=task.task if task else name,
            quantity=quantity,
            clipped=clipped,
            value=", ".join(dict.fromkeys(each.value for each in tasks)),
            unit=_unit({each.value for each in tasks}) if quantity.endswith("drop") else _FRACTION,
            estimator=self.estimator if shapley else None,
            estimate=found.estimate if found else None,
            low=found.low if found else None,
            high=found.high if found else None,
            published=paper,
            layers=tuple(self.model.players[player].label for player in players),
            published_layers=(),
            n=min((count for count in counts if count), default=None),
            model_id=self.model.model_id,
            task_id=task.task_id if task else None,
        )


def _unit(values: Collection[str]) -> str | None:
    units = {_FRACTION if is_accuracy(value) else unit_of(value) for value in values}
    return units.pop() if len(units) == 1 else None
