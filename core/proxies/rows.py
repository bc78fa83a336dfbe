"""Rows that compare cheap proxies with the costly values that they may replace. Light to import."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.coalitions.players import PlayerKind

TokensOf = Literal["all", "not the first"]
Target = Literal["drop", "window-first", "window-ends"]


@dataclass(frozen=True, slots=True)
class ProxyRow:
    """The proxies of one sublayer, or of one whole layer, over ``n`` documents; see ``core.proxies.measure``.

    ``kind`` is null for a layer with players of several kinds.

    ``..._later`` leaves out each document's first token. ``drop`` is the cost of removing it alone, ``phi_...`` its
    Shapley value by either reading of windows. Each is over the documents that have every coalition it needs, at most
    ``n_stored``, and null where these are not stored.
    """

    model: str
    task: str
    players: Literal["sublayers", "layers"]
    player: int
    label: str
    layer: int
    kind: PlayerKind | None
    n: int
    block_influence: float
    block_influence_later: float | None
    relative_norm: float
    relative_norm_later: float | None
    value: str
    n_stored: int
    drop: float | None
    phi_window_first: float | None
    phi_window_ends: float | None
    model_id: str
    task_id: str


@dataclass(frozen=True, slots=True)
class CorrelationRow:
    """The correlation of a proxy's ranking of sublayers (or layers) with that of ``target``, over ``n`` documents.

    Intervals are of 95%, bootstrapped over documents. ``top3_found`` counts the three largest by target that are
    among the three largest by proxy. ``reliability`` is how well the target's own ranking would agree with one by as
    many other documents. Null where a ranking does not vary.
    """

    model: str
    task: str
    players: Literal["sublayers", "layers"]
    proxy: str
    tokens: TokensOf
    target: Target
    value: str
    n: int
    spearman: float | None
    spearman_low: float | None
    spearman_high: float | None
    kendall: float | None
    kendall_low: float | None
    kendall_high: float | None
    top3_found: int
    reliability: float | None
    model_id: str
    task_id: str
