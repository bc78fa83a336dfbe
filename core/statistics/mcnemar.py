"""McNemar's exact test of whether a model that answers some documents differently may be as good as the intact one."""

from __future__ import annotations


def mcnemar_p(lost: int, won: int) -> float:
    """Return the two-sided p-value of McNemar's exact test (McNemar 1947).

    The hypothesis is that a document is as likely lost as won. Then ``lost`` is binomial with probability 1/2 among the
    documents that differ. So p = min(1, 2 P(X <= min(lost, won))), and p is 1 if none differs. Documents on which the
    models agree do not say which is better, so they do not count.

    Args:
        lost: documents that only the intact model gets right.
        won: documents that only the other model gets right.

    Raises:
        ValueError: a count is negative.
    """
    if min(lost, won) < 0:
        raise ValueError(f"counts must not be negative, got {lost} and {won}")
    trials = lost + won
    term = tail = 1
    for k in range(min(lost, won)):
        term = term * (trials - k) // (k + 1)
        tail += term
    return min(1.0, float(2 * tail / (1 << trials)))
