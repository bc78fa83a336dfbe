"""The derived values of one document by hand, to compare readings and reports with."""

from __future__ import annotations

import numpy as np


def by_hand(value: str, logprobs: list[float], gold: int) -> float:
    """Return ``gold_logprob``, ``margin`` or ``brier`` of one document's log-probabilities."""
    p = np.exp(logprobs) / np.exp(logprobs).sum()
    others = [one for choice, one in enumerate(logprobs) if choice != gold]
    return {
        "gold_logprob": logprobs[gold],
        "margin": logprobs[gold] - max(others),
        "brier": -float(((p - np.eye(len(p))[gold]) ** 2).sum()),
    }[value]
