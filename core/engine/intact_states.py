"""Cache of the intact model's hidden states, so that a coalition chosen by hand starts at its first removed layer."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor

from core.engine.packing import Row

LayerStates = dict[int, Tensor]
"""The intact model's hidden states after each layer, by the index of the layer, as far as they were needed.

The shape is (t, hidden), and after the last layer (p, hidden): there only the scored positions are kept.
"""


class IntactStates:
    """A cache of the hidden states of rows, bounded by ``most_bytes``.

    It serves one model; each model needs its own.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._rows: OrderedDict[bytes, LayerStates] = OrderedDict()

    def of(self, row: Row) -> LayerStates:
        """Return the cached states of a row; the caller reads them and adds to them."""
        key = row.tokens.tobytes() + row.parents.tobytes() + row.nodes.tobytes()
        self._rows[key] = self._rows.pop(key, {})
        return self._rows[key]

    def trim(self) -> None:
        """Drop the least recently used rows until the rest is within the bound."""
        while self._rows and self._bytes() > self._most_bytes:
            self._rows.popitem(last=False)

    def _bytes(self) -> int:
        states = (state for row in self._rows.values() for state in row.values())
        return sum(state.numel() * state.element_size() for state in states)
