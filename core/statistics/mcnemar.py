"""McNemar's exact test: may a model that answers some documents otherwise be as good as the intact one?"""

from __future__ import annotations


def mcnemar_p(lost: int, won: int) -> float:
    """The two-sided p-value of the hypothesis that a document is as likely lost as won (McNemar 1947, exact form).

    Of the documents that differ, ``lost`` is then binomial with probability 1/2, so p = min(1, 2 P(X <= min(lost,
    won))). Where none differs p is 1. Documents that agree say nothing about which model is better and do not count.

    Args:
        lost: documents that only the intact model gets right.
        won: documents that only the other one gets right.

    Raises:
        ValueError: a negative count.
    """
    if min(lost, won) < 0:
        raise ValueError(f"counts are not negative, got {lost} and {won}")
    trials = lost + won
    term = tail = 1
    for k in range(min(lost, won)):
        term = term * (trials - k) // (k + 1)
        tail += term
    return min(1.0, float(2 * tail / (1 << trials)))
