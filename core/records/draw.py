"""The random order in which a study takes the documents of a data set."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Draw:
    """Documents in random order; a study takes as many as it is limited to, from the first on.

    Attributes:
        seed: the seed of the order.
        size: how many documents the data set has.
    """

    seed: int
    size: int

    def doc_ids(self) -> list[int]:
        """Return the ids of all documents in the order in which they are drawn."""
        drawn = list(range(self.size))
        random.Random(self.seed).shuffle(drawn)
        return drawn

    def order(self, doc_ids: Sequence[int] | NDArray[np.int64]) -> NDArray[np.intp]:
        """Return the places of some documents in a list of theirs, the one drawn first first, shape (documents,).

        Ids beyond the data set come last.
        """
        drawn_at = np.full(self.size, self.size, dtype=np.intp)
        drawn_at[self.doc_ids()] = np.arange(self.size)
        asked = np.asarray(doc_ids, dtype=np.int64)
        within = (asked >= 0) & (asked < self.size)
        return np.argsort(np.where(within, drawn_at[np.where(within, asked, 0)], self.size), kind="stable")
