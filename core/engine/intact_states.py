"""Hidden states of the intact model, kept: a coalition picked by hand starts at its first removed layer."""

from __future__ import annotations

from collections import OrderedDict

from torch import Tensor

from core.engine.packing import Row

LayerStates = dict[int, Tensor]
"""The intact model's states after each layer, by the layer's index, as far as they were needed.

(t, hidden) each; after the last layer (p, hidden), the scored positions alone.
"""


class IntactStates:
    """The states of some rows, those used last; ``most_bytes`` bounds them. Of one model: a new one wants a new one."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._rows: OrderedDict[bytes, LayerStates] = OrderedDict()

    def of(self, row: Row) -> LayerStates:
        """The states of a row, to be read and added to."""
        key = row.tokens.tobytes() + row.parents.tobytes() + row.nodes.tobytes()
        self._rows[key] = self._rows.pop(key, {})
        return self._rows[key]

    def trim(self) -> None:
        """Forget rows until what is kept is within bounds, those not used for longest first."""
        while self._rows and self._bytes() > self._most_bytes:
            self._rows.popitem(last=False)

    def _bytes(self) -> int:
        states = (state for row in self._rows.values() for state in row.values())
        return sum(state.numel() * state.element_size() for state in states)
