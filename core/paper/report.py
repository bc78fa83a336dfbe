"""The paper's tables for one model, beside the paper's numbers if the paper has the model."""

from __future__ import annotations

from dataclasses import dataclass

from core.coalitions.players import Player
from core.paper.cornerstones import Chosen, Cornerstones, chosen, cornerstones
from core.paper.drops import MeanDrop, mean_drop
from core.paper.published import TASKS, Published, published
from core.paper.resampling import DRAWS, ModelDraws, resample
from core.paper.shares import TopShare, pooled_share, top_share
from core.paper.values import ModelValues
from core.values.derived import is_accuracy


@dataclass(frozen=True, slots=True)
class TaskReport:
    """One task in Tables 1 and 4.

    ``intact`` is the intact model's score over ``ablation_documents``. ``shapley_documents`` counts the documents that
    every coalition of the estimator has; it is 0 if not all coalitions are stored.
    """

    task: str
    task_id: str
    name: str
    value: str
    chance: float | None
    intact: float | None
    ablation_documents: int
    shapley_documents: int
    top3: TopShare | None
    other_drop: MeanDrop | None


@dataclass(frozen=True, slots=True)
class ModelReport:
    """One model in Table 1 (``top3``, ``pooled``), 2 (``cornerstones``), 3 (the drops) and 4 (in ``tasks``).

    ``chosen`` are the players taken as C layers in Tables 3 and 4; all others are NC layers. None stands for results
    that are not stored. ``published`` is also None if the value is not an accuracy, because the paper reports nothing
    else.
    """

    model: str
    model_id: str
    players: tuple[Player, ...]
    published: Published | None
    tasks: tuple[TaskReport, ...]
    top3: TopShare | None
    top4: TopShare | None
    pooled: TopShare | None
    cornerstones: Cornerstones
    chosen: Chosen | None
    cornerstone_drop: MeanDrop | None
    other_drop: MeanDrop | None

    def labels(self, players: tuple[int, ...]) -> str:
        """Return the names of players, separated by commas."""
        return ", ".join(self.players[player].label for player in players)


def report(values: ModelValues, draws: int = DRAWS, seed: int = 0) -> ModelReport:
    """Return the tables for one model.

    Args:
        values: the values of the model's tasks.
        draws: number of bootstrap resamples of the documents.
        seed: seed of the resamples.
    """
    model = resample(values, draws, seed)
    found = cornerstones(model)
    carriers = chosen(model, found)
    accuracies = all(is_accuracy(task.value) for task in values.tasks)
    named = set(carriers.players) if carriers else set()
    others = {player.number for player in values.players} - named
    return ModelReport(
        model=values.model,
        model_id=values.model_id,
        players=values.players,
        published=published(values.model, len(values.players)) if accuracies else None,
        tasks=_tasks(model, others),
        top3=top_share(model.shapley) if model.shapley else None,
        top4=top_share(model.shapley, 4) if model.shapley else None,
        pooled=pooled_share(model.shapley) if model.shapley else None,
        cornerstones=found,
        chosen=carriers,
        cornerstone_drop=mean_drop(model.ablations, named),
        other_drop=mean_drop(model.ablations, others),
    )


def _tasks(model: ModelDraws, others: set[int]) -> tuple[TaskReport, ...]:
    ablations = {each.task.task_id: each for each in model.ablations}
    estimates = {each.task.task_id: each for each in model.shapley}
    reports = []
    for task in model.values.tasks:
        ablation, estimate = ablations.get(task.task_id), estimates.get(task.task_id)
        reports.append(
            TaskReport(
                task=task.task,
                task_id=task.task_id,
                name=TASKS.get(task.task, task.task),
                value=task.value,
                chance=task.chance,
                intact=None if ablation is None else float(ablation.intact.means[0]),
                ablation_documents=0 if ablation is None else ablation.drops.documents,
                shapley_documents=0 if estimate is None else estimate.phi.documents,
                top3=None if estimate is None else top_share([estimate]),
                other_drop=None if ablation is None else mean_drop([ablation], others),
            )
        )
    return tuple(reports)
