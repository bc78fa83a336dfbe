"""How much memory a sweep of an open model takes, as plain numbers. Light to import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.engine.sweep_sizes import SweepSizes


@dataclass(frozen=True, slots=True)
class OpenMemory:
    """What an open model takes of its device's memory, and a sweep of it beside that.

    Attributes:
        held: bytes of the program with its model on a CPU, of the model alone on another device.
        batch: bytes of a batch inside a layer.
        state: bytes of the hidden states of a token, before and after a layer.
        sizes: how much a sweep does at once.
    """

    held: int
    batch: int
    state: int
    sizes: SweepSizes

    def needed(self, coalitions: int, documents: Sequence[tuple[int, float]]) -> int:
        """Return the most bytes that are taken at once.

        Args:
            coalitions: how many are evaluated.
            documents: of each task how many documents there are, and the tokens of a mean one.
        """
        most = max(self.sizes.chunk_for(coalitions), 1)
        chunks = [max(min(most, count * tokens), tokens) for count, tokens in documents]
        states = self.sizes.states_for(coalitions, int(max(chunks, default=0.0)))
        return self.held + self.batch + self.state * states
