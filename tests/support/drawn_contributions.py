"""Contributions drawn at random, of kinds that fool rules: alike within a document, rare, or with heavy tails."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Drawn = NDArray[np.float64]
"""Shape (units, documents)."""

_TAIL = 1.5
"""Sigma of the lognormal tails."""


def windows_like(worth: Sequence[float], documents: int, rng: np.random.Generator) -> Drawn:
    """Draw contributions like those of window-first, whose means are ``worth`` less some noise.

    Each is a mean of four differences of right answers, which are alike within a document.
    """
    shape = (len(worth), documents)
    own, found = rng.random(shape), np.zeros(shape)
    for _ in range(4):
        luck = np.where(rng.random(shape) < 0.7, own, rng.random(shape))
        found += (luck < np.array(worth)[:, None]).astype(float) - (rng.random(shape) < 0.03)
    return found / 4


def gaussian(worth: Sequence[float], documents: int, rng: np.random.Generator) -> Drawn:
    """Draw Gaussian contributions of deviation 1, with a part that all units of a document share."""
    return np.array(worth)[:, None] + rng.normal(size=(len(worth), documents)) + rng.normal(size=documents)


def rare(worth: Sequence[float], documents: int, rng: np.random.Generator) -> Drawn:
    """Draw drops of right answers: 1 on a part ``worth`` of the documents, else 0."""
    return (rng.random((len(worth), documents)) < np.array(worth)[:, None]).astype(float)


def either_way(worth: Sequence[float], documents: int, rng: np.random.Generator) -> Drawn:
    """Draw drops that are gains as often: 1 on 1% of the documents and -1 on 1%, and 1 on ``worth`` more."""
    luck = rng.random((len(worth), documents))
    return (luck < 0.01 + np.array(worth)[:, None]).astype(float) - (luck > 0.99)


def lognormal(worth: Sequence[float], documents: int, rng: np.random.Generator) -> Drawn:
    """Draw nats with lognormal tails, of the first half of the units upwards and of the others downwards."""
    tails = np.exp(_TAIL * rng.normal(size=(len(worth), documents))) - math.exp(_TAIL**2 / 2)
    upwards = np.where(np.arange(len(worth)) < len(worth) / 2, 1.0, -1.0)
    return np.array(worth)[:, None] + upwards[:, None] * tails
