"""The derived values of one document by hand, to compare readings and reports with."""

from __future__ import annotations

import numpy as np


def by_hand(value: str, logprobs: list[float], gold: int, choices: list[str]) -> float:
    """Return a derived value of one document from its log-probabilities, its right choice and the texts of all."""
    p = np.exp(logprobs) / np.exp(logprobs).sum()
    others = [one for choice, one in enumerate(logprobs) if choice != gold]
    normed = [one / len(text) for one, text in zip(logprobs, choices, strict=True)]
    normed_others = [one for choice, one in enumerate(normed) if choice != gold]
    return {
        "gold_logprob": logprobs[gold],
        "gold_logprob_norm": normed[gold],
        "gold_prob": float(p[gold]),
        "margin": logprobs[gold] - max(others),
        "margin_norm": normed[gold] - max(normed_others),
        "brier": -float(((p - np.eye(len(p))[gold]) ** 2).sum()),
    }[value]
