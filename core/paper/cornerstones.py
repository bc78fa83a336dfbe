"""The rule for "cornerstone", and its evidence, player by player.

The paper calls cornerstones those layers whose removal collapses the model to chance and whose Shapley values dominate.
It states no rule, so here is one. It counts the tasks on which the intact model is above chance (its whole interval
is). Over them, a player is a cornerstone if

1. removing it alone loses at least half (``COLLAPSE``) of what the intact model has above chance: its mean drop divided
   by the mean of intact minus chance, both unclipped, and
2. its mean share is at least three times (``DOMINANCE``) an even share 1/N.

*sure*: the lower bounds of both pass. *likely*: both estimates pass, and the lower bound of the loss is above zero.
*no*: an upper bound does not pass. *open*: none of these; more documents would decide. The bounds hold at 95 % for all
players of a model at once, because all are looked at: the largest of sixty noisy drops is large by chance. The bounds
of shares include what clipping may have taken from them. In simulated games all of them hold at once in 91 to 98 %
(docs/estimators.md).

Why a mean drop over a mean, and not a mean of quotients: on a task that the model barely knows, a quotient is noise.
Why both conditions: a removal may collapse the model, while next to other removals it no longer matters (a small
share). And a share may be large because all values are small (no collapse). Noise lowers the clipped share of a
cornerstone, so with few documents the rule errs towards open.

A value without chance (a log-probability) has no level to collapse to. So only the second condition can be checked,
over all tasks, and a player is *no* or *open*, however many documents there are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from core.paper.resampling import AblationDraws, Draws, ModelDraws, simultaneous
from core.paper.shares import TOP, mean_shares
from core.paper.values import TaskValues
from core.statistics.defined import defined
from core.statistics.intervals import FloatArray, mean_interval
from core.statistics.ranks import leading

COLLAPSE = 0.5
DOMINANCE = 3.0
# Clipping biases a sample's mean upwards: noise around 0 has a clipped mean of .4 standard deviations. A resample adds
# as much noise again, so its clipped mean is sqrt(2) times that. Resamples show this fraction of the sample's bias.
_SHOWN = math.sqrt(2) - 1

Verdict = Literal["sure", "likely", "open", "no"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One player under the rule. None stands for an unknown number.

    Attributes:
        collapse: the fraction of the score above chance that is lost without the player: ``drop`` / ``above``.
        drop: intact minus ablated, averaged over the counted tasks, in the unit of the value.
        above: intact minus chance, averaged over the counted tasks.
        share: the player's share of the sum of positive Shapley values, averaged over tasks.
        needed_share: the smallest share that the rule allows, ``DOMINANCE`` / N.
        tasks: the counted tasks; all tasks if the value has no chance level. The share uses those of them that have
            every window and a positive value.
        n: number of documents with every ablation, in the task that has the fewest.
    """

    player: int
    label: str
    verdict: Verdict
    collapse: float | None
    collapse_low: float | None
    collapse_high: float | None
    drop: float | None
    above: float | None
    share: float | None
    share_low: float | None
    share_high: float | None
    needed_share: float
    tasks: tuple[str, ...]
    n: int


@dataclass(frozen=True, slots=True)
class Cornerstones:
    """All players of a model, in their order.

    The rule divides the tasks into those ``counted``, those on which the intact model is not above chance, and those
    without a chance level.
    """

    evidence: tuple[Evidence, ...]
    counted: tuple[str, ...]
    at_chance: tuple[str, ...]
    without_chance: tuple[str, ...]

    @property
    def players(self) -> tuple[int, ...]:
        """Return the cornerstones, sure or likely, the largest share first."""
        found = [each for each in self.evidence if each.verdict in {"sure", "likely"}]
        return tuple(each.player for each in sorted(found, key=lambda each: -(each.share or 0.0)))


@dataclass(frozen=True, slots=True)
class Chosen:
    """The players that Tables 3 and 4 take as C layers, and the criterion that chose them."""

    players: tuple[int, ...]
    by: Literal["rule", "share", "drop"]


def cornerstones(model: ModelDraws) -> Cornerstones:
    """Apply the rule to every player of a model."""
    players = model.values.players
    counted = [each for each in model.ablations if _above_chance(each.task)]
    without = [task.task for task in model.values.tasks if task.chance is None]
    if len(without) == len(model.values.tasks):
        over, ids = list(model.ablations), {task.task_id for task in model.values.tasks}
    else:
        over, ids = counted, {each.task.task_id for each in counted}
    collapse = _collapse(over, len(players))
    share = _share([each.phi for each in model.shapley if each.task.task_id in ids], len(players))
    needed = DOMINANCE / len(players)
    names = tuple(task.task for task in model.values.tasks if task.task_id in ids)
    evidence = tuple(
        Evidence(
            player=at,
            label=player.label,
            verdict=_verdict(collapse.at(at), share.at(at), needed),
            collapse=defined(collapse.estimate[at]),
            collapse_low=defined(collapse.low[at]),
            collapse_high=defined(collapse.high[at]),
            drop=defined(collapse.drop[at]),
            above=collapse.above,
            share=defined(share.estimate[at]),
            share_low=defined(share.low[at]),
            share_high=defined(share.high[at]),
            needed_share=needed,
            tasks=names,
            n=min((each.drops.documents for each in over), default=0),
        )
        for at, player in enumerate(players)
    )
    at_chance = (each.task for each in model.ablations if each.task.chance is not None and each.task.task_id not in ids)
    return Cornerstones(
        evidence, tuple(each.task.task for each in counted), tuple(task.task for task in at_chance), tuple(without)
    )


def chosen(model: ModelDraws, found: Cornerstones) -> Chosen | None:
    """Return the players to take as C layers; None if no player has a share or a drop.

    They are the cornerstones. If there are none, they are the players of the largest mean share; without shares, those
    of the largest drop.
    """
    if found.players:
        return Chosen(found.players, "rule")
    if model.shapley and (players := leading(mean_shares([each.phi for each in model.shapley]), TOP)):
        return Chosen(players, "share")
    if model.ablations:
        drops = np.asarray(np.mean([each.drops.means for each in model.ablations], axis=0))
        if players := leading(drops, TOP):
            return Chosen(players, "drop")
    return None


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Estimates and bounds of all players, shape (players,); NaN where unknown."""

    estimate: FloatArray
    low: FloatArray
    high: FloatArray
    drop: FloatArray
    above: float | None

    def at(self, player: int) -> tuple[float, float, float]:
        """Return the estimate of one player and its bounds."""
        return float(self.estimate[player]), float(self.low[player]), float(self.high[player])


def _verdict(collapse: tuple[float, float, float], share: tuple[float, float, float], needed: float) -> Verdict:
    """Apply the rule to one player. NaN compares as false, so an unknown number neither passes nor fails."""
    (loss, loss_low, loss_high), (part, part_low, part_high) = collapse, share
    if loss_low >= COLLAPSE and part_low >= needed:
        return "sure"
    if loss >= COLLAPSE and part >= needed and loss_low > 0:
        return "likely"
    return "no" if loss_high < COLLAPSE or part_high < needed else "open"


def _above_chance(task: TaskValues) -> bool:
    """Return whether the interval of the intact model's score lies above chance."""
    interval = None if task.intact is None else mean_interval(task.intact)
    return task.chance is not None and interval is not None and interval[0] > task.chance


def _collapse(tasks: Sequence[AblationDraws], players: int) -> _Bounds:
    """Return the fraction lost, a quotient of two means, with the intervals of its linear approximation.

    Without a chance level the fraction is unknown.
    """
    nothing = np.full(players, np.nan)
    if not tasks:
        return _Bounds(nothing, nothing, nothing, nothing, None)
    drop = np.mean([each.drops.means for each in tasks], axis=0)
    chances = [each.task.chance for each in tasks if each.task.chance is not None]
    if not chances:
        return _Bounds(nothing, nothing, nothing, np.asarray(drop), None)
    chance = float(np.mean(chances))
    above = float(np.mean([each.intact.means[0] for each in tasks])) - chance
    drops = np.mean([each.drops.resampled for each in tasks], axis=0)
    aboves = np.mean([each.intact.resampled[:, 0] for each in tasks], axis=0) - chance
    collapse = drop / above
    low, high = simultaneous(collapse, (drops - collapse * aboves[:, None]) / above)
    slack = np.mean([each.drops.slack for each in tasks], axis=0) / above
    return _Bounds(collapse, low - slack, high + slack, drop, above)


def _share(draws: Sequence[Draws], players: int) -> _Bounds:
    """Return the mean share of each player, with its bounds."""
    nothing = np.full(players, np.nan)
    there = [phi for phi in draws if (phi.means > 0).any()]
    if not there:
        return _Bounds(nothing, nothing, nothing, nothing, None)
    estimate = mean_shares(there)
    # Unclipped, because nearly all clipped resamples of a small share are 0, which would make it look certain.
    drawn = [_parts(phi.resampled) for phi in there]
    low, high = simultaneous(estimate, np.mean(drawn, axis=0))
    clipped = np.mean([np.maximum(parts, 0.0).mean(axis=0) for parts in drawn], axis=0)
    bias = (estimate - clipped) / _SHOWN
    slack = np.mean([phi.slack / np.maximum(phi.means, 0.0).sum() for phi in there], axis=0)
    low, high = low - slack + np.minimum(bias, 0.0), high + slack + np.maximum(bias, 0.0)
    return _Bounds(estimate, np.maximum(low, 0.0), np.minimum(high, 1.0), nothing, None)


def _parts(phi: FloatArray) -> FloatArray:
    """Return values, unclipped, divided by the sum of the positive ones; all 0 where none is positive.

    The sum runs along the last axis.
    """
    total = np.maximum(phi, 0.0).sum(axis=-1, keepdims=True)
    return np.asarray(np.divide(phi, total, out=np.zeros_like(phi), where=total > 0))
