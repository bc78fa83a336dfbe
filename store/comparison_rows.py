"""The rows of tables that compare: two models, two formats, an estimator with exact values, a value with another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PairRow:
    """Two intact models on the ``n`` documents of one task that both were evaluated on.

    ``difference`` is ``score`` less ``other_score``, paired over these documents, with its interval; the reverse where
    a lower score is better, so that it is above 0 where ``model`` is. ``better`` counts the documents with a better
    score by ``model`` (those that it alone gets right, where scores are 0 or 1), ``worse`` those with a better score by
    ``other``. ``changed`` counts the documents on which the models pick different choices
    or have different scores by a metric of the task, which the likelihood of a text is not. ``p_value`` is that of
    McNemar's exact test that neither is better, and null if the score is not 0 or 1 on every document.
    """

    task: str
    value: str
    model: str
    other: str
    n: int
    score: float
    other_score: float
    difference: float
    difference_low: float
    difference_high: float
    better: int
    worse: int
    changed: int
    p_value: float | None
    model_id: str
    other_id: str
    task_id: str


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """One estimator compared with the exact values of the same units, over the same ``n`` documents.

    ``spearman`` and ``kendall`` correlate the ranks of units. ``bias`` and ``rmse`` are the mean and the root mean
    square of estimate minus exact, ``mae`` is the mean of its sizes and ``worst`` the largest, in the value's units.
    ``top`` is the part of the exact ``k`` largest units that are also among the estimator's. Intervals are bootstrapped
    over documents; approximators of other libraries have none. An undefined number is null, for example the correlation
    of values that are all the same. ``permutations``, ``seed``, ``tolerance`` and ``settings`` are as in
    ``store.rows.ShapleyRow``.
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
    mae: float | None
    mae_low: float | None
    mae_high: float | None
    worst: float | None
    worst_low: float | None
    worst_high: float | None
    k: int
    top: float | None
    top_low: float | None
    top_high: float | None
    model_id: str
    task_id: str
    permutations: int | None = None
    seed: int | None = None
    tolerance: float | None = None
    settings: str = ""


@dataclass(frozen=True, slots=True)
class ValueRow:
    """One value of a task: how soon it decides the three largest players, and whether it ranks as ``reference`` does.

    ``reference`` is the task's own value: acc where there is one. The row is over the ``n`` documents that have both
    values under all coalitions. ``leader`` is the player of the largest phi, the earliest of those that tie, and null
    if all tie. ``t`` is its phi divided by the standard error, and ``t3`` that of the third largest. As these players
    were chosen as the largest, both are somewhat too large. ``inside``, ``out`` and ``unsettled`` count the verdicts on
    the three largest after n documents, at 95% however often one looks. ``documents`` is how many decide every player:
    n if these do, which may be more than it takes, and beyond n a forecast, as if further documents said the same. It
    is null where no end is in sight.

    ``rho`` is Spearman's rank correlation of phi with that by ``reference``, and ``common`` how many of the three
    largest are the same; players that tie for the last places count in part. Both are null in the row of ``reference``
    itself, where they say nothing. ``reliability`` is how well the ranking by this value would agree with one from as
    many other documents. Two values of the same true ranking reach a rho of about the root of the product of their
    reliabilities on documents of their own, and mostly more on the same ones, whose noise they share. So a rho far
    below that speaks for another question, and one above it does not prove the same question.

    Intervals are of a bootstrap over documents at 95%, the same resamples for both values, and say what as many
    other documents may give. An undefined number is null. Verdicts are, too, where documents were not taken at random.
    """

    model: str
    task: str
    value: str
    reference: str
    estimator: str
    max_removed: int
    n: int
    leader: str | None
    t: float | None
    t_low: float | None
    t_high: float | None
    t3: float | None
    t3_low: float | None
    t3_high: float | None
    inside: int | None
    out: int | None
    unsettled: int | None
    documents: int | None
    rho: float | None
    rho_low: float | None
    rho_high: float | None
    common: float | None
    common_low: float | None
    common_high: float | None
    reliability: float | None
    model_id: str
    task_id: str


@dataclass(frozen=True, slots=True)
class FormatRow:
    """One task under the same model in two number formats: ``reference`` and ``other``, such as float32 and bfloat16.

    The row is over the ``outcomes`` that both have: of so many ``documents`` under so many ``coalitions``. ``model``
    and ``model_id`` are of the other format. ``reference_model`` differs from ``model`` only if another model was named
    as the reference.

    ``flips`` counts the outcomes that are right in one format alone, by ``accuracy``, and ``flip_share`` is their part
    of the outcomes. All are null where the task has no accuracy. ``logprob_median`` and ``logprob_largest`` are by how
    much the log-probability of the right choice differs, in nats, and null where no document has one right choice among
    several.

    ``phi_difference`` is the largest difference between the two formats in a player's Shapley value phi, and
    ``phi_player`` is that player. phi is by window-first, from windows of up to ``max_removed``, over the ``n``
    documents that have all of them in both formats. ``phi_se`` is the median of the players' standard errors in the
    reference, over documents. Beside it one sees whether a difference matters. ``rho`` is Spearman's rank correlation
    of phi between the formats, and ``common`` how many of the ``k`` largest are the same; players that tie for the last
    places count in part. Intervals are of a bootstrap over documents at 95%, the same resamples for both formats,
    and say what as many other documents may give. All of these are null where windows are not stored in both formats,
    and ``common`` also where ``k`` are all players.
    """

    model: str
    task: str
    value: str
    reference: str
    other: str
    documents: int
    coalitions: int
    outcomes: int
    accuracy: str | None
    flips: int | None
    flip_share: float | None
    logprob_median: float | None
    logprob_largest: float | None
    max_removed: int | None
    n: int | None
    phi_difference: float | None
    phi_player: str | None
    phi_se: float | None
    rho: float | None
    rho_low: float | None
    rho_high: float | None
    k: int
    common: float | None
    common_low: float | None
    common_high: float | None
    reference_model: str
    model_id: str
    reference_id: str
    task_id: str
