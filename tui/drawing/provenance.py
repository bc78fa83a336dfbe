"""How a Shapley value was estimated, in the words that reports, tables and figures share."""

from __future__ import annotations

from core.coalitions.grouping import SUBLAYERS
from core.estimators.registry import WINDOW_ESTIMATORS
from store.rows import ShapleyRow
from tui.drawing.plain import plain


def obtained(row: ShapleyRow) -> str:
    """Return the estimator and its settings, and the grouping if the players are not single sublayers."""
    how = [row.estimator]
    if row.estimator in WINDOW_ESTIMATORS:
        how.append(f"windows of up to {row.max_removed}")
    if row.permutations is not None:
        how += [f"{row.permutations} walks", f"seed {row.seed}", f"tolerance {row.tolerance:g}"]
    if row.players != SUBLAYERS:
        how.append(f"players {plain(row.players)}")
    return ", ".join([*how, "partial"] if row.partial else how)
