"""The operations of a study, from the sizes of a model's layers and of the rows that pass them. Light to import.

Work is distinct layer by layer: coalitions that agree below a layer share their states there. A little less would be
needed in two cases: if a whole layer shared its attention with the same layer without its FFN, and if the last
attention skipped the queries of positions that are not scored.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.coalitions.players import Removed


@dataclass(frozen=True, slots=True)
class PlayerWork:
    """The sizes of the matrices that a player multiplies by.

    ``weights`` is the number of entries in the matrices that a token meets. ``by_token``: it treats each token by
    itself, so in the last layer it takes the scored positions alone. ``attends``: it compares tokens with each other.
    """

    weights: float
    by_token: bool
    attends: bool


@dataclass(frozen=True, slots=True)
class LayerWork:
    """The sizes of the matrices that a layer multiplies by.

    ``beside`` counts entries of matrices that belong to no player; a mixture whose experts are players is among them,
    as it is computed with or without them. ``passes``: without its players the layer costs nothing. ``sight`` is the
    number of its kind of attention among ``ModelWork.sights``. ``bytes`` is the size of its weights.
    """

    players: tuple[PlayerWork, ...]
    beside: float
    passes: bool
    sight: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Sight:
    """How far an attention sees: all tokens before, those of a ``window``, or those of the same ``chunk``."""

    window: int | None = None
    chunk: int | None = None


@dataclass(frozen=True, slots=True)
class ModelWork:
    """The sizes of the matrices that a model multiplies by.

    ``attention_width`` is how wide the heads of an attention are together, ``head`` the number of entries of the matrix
    that scores tokens, ``bytes`` the size of all weights. ``shares``: coalitions share their states; else the whole
    model runs for each.
    """

    layers: tuple[LayerWork, ...]
    sights: tuple[Sight, ...]
    attention_width: int
    head: float
    bytes: int
    shares: bool = True

    @property
    def layer_bytes(self) -> int:
        """The size of the weights of all layers, which a chunk of documents reads once."""
        return sum(layer.bytes for layer in self.layers)


@dataclass(frozen=True, slots=True)
class RowWork:
    """The sizes of packed rows: their tokens, their scored positions, and for each sight the pairs of tokens seen."""

    tokens: float
    scored: float
    pairs: tuple[float, ...]

    def times(self, factor: float) -> RowWork:
        """Return the sizes of so many rows like this one."""
        return RowWork(self.tokens * factor, self.scored * factor, tuple(pairs * factor for pairs in self.pairs))


def added(rows: Iterable[RowWork], sights: int) -> RowWork:
    """Return the sizes of rows together, of a model with so many sights."""
    tokens = scored = 0.0
    pairs = [0.0] * sights
    for row in rows:
        tokens += row.tokens
        scored += row.scored
        pairs = [one + other for one, other in zip(pairs, row.pairs, strict=True)]
    return RowWork(tokens, scored, tuple(pairs))


def operations(model: ModelWork, rows: RowWork, coalitions: Sequence[Removed]) -> float:
    """Return the operations for rows under all coalitions, each distinct (prefix state, token) pair once.

    The products with weights count, and those of attention with the tokens that it sees. Removed sublayers count
    nothing. The head and the last sublayer count the scored positions only. Norms and other element-wise work count
    nothing, and neither does what a state-space or linear mixer does besides products with weights.
    """
    removed_bits = [sum(1 << player for player in removed) for removed in coalitions]
    total, start = 0.0, 0
    for index, layer in enumerate(model.layers):
        end = start + len(layer.players)
        upto = [bits & (1 << end) - 1 for bits in removed_bits]
        prefixes = set(upto) if model.shares else upto
        last = index == len(model.layers) - 1
        for bit, player in enumerate(layer.players, start):
            if not player.weights and not player.attends:
                continue  # an expert, of which there may be thousands: its mixture is computed with or without it
            states = sum(1 for prefix in prefixes if not prefix >> bit & 1)
            read = rows.scored if player.by_token and last else rows.tokens
            dot = 4 * rows.pairs[layer.sight] * model.attention_width if player.attends else 0
            total += states * (2 * read * player.weights + dot)
        nothing = (1 << end - start) - 1
        present = sum(1 for prefix in prefixes if not layer.passes or prefix >> start != nothing)
        total += present * 2 * rows.tokens * layer.beside
        start = end
    return total + len(coalitions) * 2 * rows.scored * model.head


def plain_operations(model: ModelWork, rows: RowWork, coalitions: Iterable[Removed]) -> float:
    """Return the operations of a plain loop: for each coalition a whole forward, with the head at every position."""
    each = ModelWork(model.layers, model.sights, model.attention_width, model.head, model.bytes, shares=False)
    everywhere = RowWork(rows.tokens, rows.tokens, rows.pairs)
    return operations(each, everywhere, tuple(coalitions))
