"""What reading functions take and return: a selection, and one dataclass a table, fields in the order of columns.

``model_id`` and ``task_id`` tell apart what shares a name: other weights or dtype, other prompt settings or data.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from core.coalitions.players import PlayerKind


@dataclass(frozen=True, slots=True)
class Selection:
    """Which results to read; None means all. Names may be ``name``, ``name@id`` or an id alone.

    ``run`` restricts to the documents and coalitions that the run asked for, whichever run evaluated them.
    """

    model: str | None = None
    task: str | None = None
    run: str | None = None


@dataclass(frozen=True, slots=True)
class AblationRow:
    """One player removed alone. ``drop`` = intact - ablated, paired over the ``n`` documents both have.

    ``acc``, ``acc_se``, ``intact_acc`` and the drop are of the metric that ``value`` names. ``p_value`` is of McNemar's
    exact test that nothing changed; null where that metric is not 0 or 1 on every document.
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


@dataclass(frozen=True, slots=True)
class CoalitionRow:
    """One coalition on one task, over the ``n`` documents stored for it; ``label`` names its removed players.

    ``acc``, ``acc_se`` and the drop are of what ``value`` names. ``drop`` = intact - this is paired over the documents
    both have; null where there are none, and for the intact model itself.
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
    value: str = "acc"


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """One document under one coalition, as stored. ``gold`` is an index, or several where the task has several."""

    model: str
    task: str
    removed: tuple[int, ...]
    doc_id: int
    gold: int | tuple[int, ...] | None
    logprobs: tuple[float, ...]
    is_greedy: tuple[bool, ...]
    acc: float | None
    acc_norm: float | None
    model_id: str
    task_id: str


@dataclass(frozen=True, slots=True)
class ShapleyRow:
    """One unit's Shapley estimate. ``phi`` is unclipped; share and rank come from ``phi_clipped`` = max(phi, 0).

    ``players`` names the grouping of players into units: by default each player is one. ``p_top3`` is the bootstrap
    probability of being among the three largest. ``partial`` says that the windows asked for were not all stored, and
    that those of up to ``max_removed`` stand for them. ``permutations`` (walks), the ``seed`` of their orders and the
    ``tolerance`` at which one ends, in the value's units, are of the estimator permutation; null for others.
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
    partial: bool = False
    permutations: int | None = None
    seed: int | None = None
    tolerance: float | None = None


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """How far an estimator is from the exact values of the same units, over the same ``n`` documents.

    ``spearman`` and ``kendall`` correlate ranks of units, ``bias`` and ``rmse`` are of estimate - exact in the value's
    units, and ``top`` is the part of the exact ``k`` largest units that the estimator has among its own. Intervals are
    bootstrapped over documents; null is what is undefined, as a correlation of values that are all the same.
    ``permutations``, ``seed`` and ``tolerance`` are as in ``ShapleyRow``.
    """

    model: str
    task: str
    value: str
    players: str
    units: int
    estimator: str
    max_removed: int
    coalitions: int
    n: int
    spearman: float | None
    spearman_low: float | None
    spearman_high: float | None
    kendall: float | None
    kendall_low: float | None
    kendall_high: float | None
    bias: float | None
    bias_low: float | None
    bias_high: float | None
    rmse: float | None
    rmse_low: float | None
    rmse_high: float | None
    k: int
    top: float | None
    top_low: float | None
    top_high: float | None
    model_id: str
    task_id: str
    permutations: int | None = None
    seed: int | None = None
    tolerance: float | None = None


@dataclass(frozen=True, slots=True)
class InteractionRow:
    """What ``size`` neighbouring players, from number ``first`` on, lose together but not apart.

    ``effect`` = the sum of their single drops - ``joint_drop``, paired over ``n`` documents, with its interval; see
    ``core.estimators.interactions``: negative where they back each other up, positive where they need each other.
    """

    model: str
    task: str
    value: str
    first: int
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
    """One player under the rule for cornerstones, with its evidence; see ``core.paper.cornerstones``.

    ``cornerstone`` is sure, likely, open or no. ``collapse`` is the part of what the intact model has above chance
    that is lost without the player (``drop`` / ``above``), ``share`` its mean share, both over ``tasks``;
    ``needed_share`` is the least that the rule allows. Intervals hold for all players of the model at once. A value
    that has no chance has no ``collapse`` either: by it a player is no cornerstone, or open.
    """

    model: str
    value: str
    estimator: str
    max_removed: int
    player: int
    label: str
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
    """One invocation of a study and how it ended."""

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

    ``pick`` is the choice of the largest log-probability, None where there is nothing to choose from. What is of the
    intact model is None where it has not seen the document.
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
    model_id: str
    task_id: str

    @property
    def changed(self) -> bool:
        """The model now picks another choice, or scores otherwise, than the intact one."""
        return self.logprobs_intact is not None and (self.pick_intact, self.acc_intact) != (self.pick, self.acc)


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A model on a task, of which something is stored; ``kinds`` of its players, ``values`` that may be read."""

    model: str
    task: str
    kinds: tuple[PlayerKind, ...]
    values: tuple[str, ...]
    model_id: str
    task_id: str
