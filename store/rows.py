"""The selection that a reading takes, and the rows that it returns: a dataclass a table, with the columns as fields.

``model_id`` and ``task_id`` tell apart models and tasks of the same name: models of other weights or dtype, and tasks
of other prompt settings or data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.coalitions.players import Kinds, PlayerKind
from core.statistics.costs import CostStanding
from core.statistics.verdicts import Standing


@dataclass(frozen=True, slots=True)
class Selection:
    """The results to read, by name. None means all. A name may be ``name``, ``name@id`` or an id.

    ``run`` selects the documents and coalitions that a run asked for, whichever run evaluated them.
    """

    model: str | None = None
    task: str | None = None
    run: str | None = None


@dataclass(frozen=True, slots=True)
class AblationRow:
    """One player removed alone. ``drop`` is intact minus ablated, paired over the ``n`` documents that both have.

    Where a lower score is better, it is ablated minus intact: it says how much worse the model is.

    ``value`` names the score of ``acc``, ``intact_acc`` and the drop. ``acc_low`` and ``acc_high`` are the 95% interval
    of ``acc``. ``acc_se`` is its standard error as lm-eval defines it; where that is 0, because all documents have the
    same score, it is null: the interval says how uncertain the score is then. ``p_value`` is that of McNemar's exact
    test that nothing changed, and null if the score is not 0 or 1 on every document. ``chance`` is the score of
    guessing, and null if the score is no accuracy.

    ``verdict`` says whether the drop is ``above`` or ``below`` the ``verdict_cost`` that was asked about, or still
    ``open``, for all players at once at 95% (or the confidence of the run that asked), however often one looks.
    ``verdict_n`` is the number of documents that decided it, or that an open one has. They are null where no cost was
    asked about, or where it cannot be decided: the documents were not taken at random, lower is better, or the row is
    of a group of tasks.
    """

    model: str
    task: str
    value: str
    player: int
    label: str
    layer: int
    kind: PlayerKind
    n: int
    acc: float
    acc_se: float | None
    intact_acc: float
    drop: float
    drop_low: float
    drop_high: float
    chance: float | None
    p_value: float | None
    model_id: str
    task_id: str
    acc_low: float | None
    acc_high: float | None
    verdict: CostStanding | None = None
    verdict_cost: float | None = None
    verdict_n: int | None = None


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """The intact model on one task, over its ``n`` stored documents, with the interval of its score.

    ``value`` names the score. ``chance`` is the score of guessing, and null if the score is no accuracy. ``players``
    counts the model's players.
    """

    model: str
    task: str
    value: str
    n: int
    score: float
    score_low: float | None
    score_high: float | None
    chance: float | None
    players: int
    model_id: str
    task_id: str


@dataclass(frozen=True, slots=True)
class CoalitionRow:
    """One coalition on one task. ``label`` names the removed players.

    All numbers are of ``n`` documents: those that are stored of it and of the intact model. ``value`` names the score
    of ``acc``, of its standard error and interval (as in the ablation), of ``intact_acc`` and of the drop. ``drop`` is
    ``intact_acc`` less ``acc``, paired. It is null for the intact model itself. If no document is stored of both,
    ``drop`` and ``intact_acc`` are null, and the rest is of the coalition's own documents.
    """

    model: str
    task: str
    removed: tuple[int, ...]
    n: int
    acc: float | None
    acc_se: float | None
    acc_norm: float | None
    label: str
    drop: float | None
    drop_low: float | None
    drop_high: float | None
    model_id: str
    task_id: str
    value: str
    intact_acc: float | None
    acc_low: float | None
    acc_high: float | None


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """One document under one coalition, as stored. ``gold`` is the index of the right choice, or several indices.

    ``more`` has the task's other metrics that are means, as JSON, null if it has none. ``written`` is the text that the
    model wrote, null where it gave log-probabilities.
    """

    model: str
    task: str
    removed: tuple[int, ...]
    doc_id: int
    gold: int | tuple[int, ...] | None
    logprobs: tuple[float, ...]
    is_greedy: tuple[bool, ...]
    acc: float | None
    acc_norm: float | None
    more: str | None
    written: str | None
    model_id: str
    task_id: str


@dataclass(frozen=True, slots=True)
class ShapleyRow:
    """One unit's Shapley value. ``phi`` is unclipped; share and rank come from ``phi_clipped`` = max(phi, 0).

    ``players`` names the grouping of players into units; by default each player is a unit. ``layer`` and ``kind`` are
    those of all players of the unit, and null where they differ. ``p_top3`` is the bootstrap probability of being among
    the three largest. If ``partial``, the windows asked for were not all stored, and windows
    of up to ``max_removed`` were used. ``permutations`` (walks), ``seed`` (of their orders) and ``tolerance`` (at which
    a walk ends, in the value's units) are settings of the estimator permutation, and null for others. ``settings`` has
    the settings of any estimator in words. ``se`` is the standard error of ``phi``. It is null where every document
    contributes the same: the interval of ``phi`` says what that leaves open. ``verdict`` says whether the unit is one
    of the ``verdict_k`` largest, at 95% however often one looks: ``in``, ``out`` or ``open``. ``verdict_n`` is the
    number of documents that decided it, or that an open one has. They are null where that cannot be decided: the
    documents were not taken at random, or the coalitions were, or the row is of a group of tasks.
    """

    model: str
    task: str
    value: str
    estimator: str
    max_removed: int
    player: int
    label: str
    phi: float
    phi_clipped: float
    se: float | None
    share: float | None
    rank: int
    n: int
    phi_low: float
    phi_high: float
    share_low: float | None
    share_high: float | None
    players: str
    rank_low: int
    rank_high: int
    p_top3: float
    model_id: str
    task_id: str
    layer: int | None
    kind: PlayerKind | None
    partial: bool = False
    permutations: int | None = None
    seed: int | None = None
    tolerance: float | None = None
    settings: str = ""
    verdict: Standing | None = None
    verdict_k: int | None = None
    verdict_n: int | None = None


@dataclass(frozen=True, slots=True)
class InteractionRow:
    """One window: ``size`` neighbouring players, the first of which has the number ``first`` and is in ``layer``.

    ``joint_drop`` is the drop without all of them. ``effect`` is the sum of their single drops minus ``joint_drop``,
    paired over ``n`` documents, with its interval. It is negative if the players back each other up, and positive if
    they need each other (``core.estimators.interactions``).
    """

    model: str
    task: str
    value: str
    first: int
    layer: int
    labels: tuple[str, ...]
    size: int
    n: int
    effect: float
    low: float
    high: float
    joint_drop: float
    model_id: str
    task_id: str


@dataclass(frozen=True, slots=True)
class CornerstoneRow:
    """One player under the rule for cornerstones, with its evidence (``core.paper.cornerstones``).

    ``cornerstone`` is sure, likely, open or no. ``collapse`` is ``drop`` / ``above``: the part of the intact score
    above chance that is lost without the player. ``share`` is its mean share. Both are means over ``tasks``.
    ``needed_share`` is the smallest share that the rule allows. Intervals hold for all players of the model at once. A
    value without a chance level has no ``collapse``; a player is then open, or no cornerstone.
    """

    model: str
    value: str
    estimator: str
    max_removed: int
    player: int
    label: str
    layer: int
    kind: PlayerKind
    cornerstone: str
    collapse: float | None
    collapse_low: float | None
    collapse_high: float | None
    share: float | None
    share_low: float | None
    share_high: float | None
    needed_share: float
    drop: float | None
    above: float | None
    tasks: tuple[str, ...]
    n: int
    model_id: str


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run of a study, and how it ended.

    ``state`` is running, finished, cancelled (by a person), failed, or stopped: by a signal, by its caller, or with its
    program. It is unknown if the run was begun on another machine or in another container, and nobody noted its end.
    The coalitions of a model that were picked by hand on the same documents are one run, which is running while one of
    them is evaluated.
    """

    run: str
    started: datetime
    finished: datetime | None
    state: str
    command: str
    model: str
    tasks: tuple[str, ...]
    documents: int
    coalitions: int
    outcomes: int


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One document under one coalition, beside the intact model's.

    ``pick`` is the choice with the largest log-probability, None if there is no choice to make. ``score`` is the score
    that ``value`` names, None if the document has none. Fields of the intact model are None if it was not evaluated on
    the document. ``changed`` says whether the model now picks another choice, or has another score by a metric of the
    task: by ``value``, or by acc if ``value`` is derived from log-probabilities or is one of the corpus. ``written`` is
    the text that the model wrote, None where it gave log-probabilities.
    """

    model: str
    task: str
    removed: tuple[int, ...]
    doc_id: int
    prompt: str
    choices: tuple[str, ...]
    gold: tuple[int, ...]
    pick_intact: int | None
    pick: int | None
    acc_intact: float | None
    acc: float | None
    logprobs_intact: tuple[float, ...] | None
    logprobs: tuple[float, ...]
    written_intact: str | None
    written: str | None
    value: str
    score_intact: float | None
    score: float | None
    changed: bool
    model_id: str
    task_id: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A model and a task that have results.

    ``kinds`` are those of the model's players, by layer. ``values`` are those that may be read.
    """

    model: str
    task: str
    kinds: Kinds
    values: tuple[str, ...]
    model_id: str
    task_id: str
