"""How much a sweep does at once. Light to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FEWEST: Final = 16
"""Tokens below which sizes are not halved further."""

LONGEST_ROW: Final = 512
"""Attention grows with the square of a row's length."""


@dataclass(frozen=True, slots=True)
class SweepSizes:
    """Sizes of a sweep, in tokens.

    ``row_tokens``: length of a row of packed documents. ``batch_tokens``: tokens that go through a layer at once.
    ``chunk_tokens``: tokens of the documents that are evaluated under all coalitions before anything is recorded.
    ``state_tokens``: the most hidden states held at once, whatever the coalitions. ``laid_out``: whether memory
    suffices for products by oneDNN (``core.engine.onednn``).
    """

    row_tokens: int
    batch_tokens: int
    chunk_tokens: int
    state_tokens: int
    laid_out: bool = True

    def row_for(self, coalitions: int) -> int:
        """Return the most tokens of a row under so many coalitions: few fill a batch only in longer rows."""
        return max(self.row_tokens, min(self.batch_tokens // coalitions, LONGEST_ROW))

    def chunk_for(self, coalitions: int) -> int:
        """Return the most tokens of a chunk's documents under so many coalitions; a longer document is alone."""
        return min(max(self.chunk_tokens, self.row_for(coalitions)), self.state_tokens // coalitions)

    def states_for(self, coalitions: int, tokens: int) -> int:
        """Return how many states a chunk of so many tokens holds at once."""
        return min(tokens * coalitions, max(self.state_tokens, tokens))

    def halved(self) -> SweepSizes | None:
        """Return sizes that take half the memory, or None if they cannot be halved further."""
        if max(self.batch_tokens, self.chunk_tokens, self.state_tokens) <= FEWEST:
            return None
        return SweepSizes(
            max(self.row_tokens // 2, FEWEST),
            max(self.batch_tokens // 2, FEWEST),
            max(self.chunk_tokens // 2, FEWEST),
            max(self.state_tokens // 2, FEWEST),
            self.laid_out,
        )
