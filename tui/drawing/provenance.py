"""How a Shapley value was estimated, in the words that reports, tables and figures share."""

from __future__ import annotations

from core.coalitions.grouping import SUBLAYERS
from store.rows import ShapleyRow
from tui.drawing.plain import plain


def obtained(row: ShapleyRow) -> str:
    """Say by which estimator, how it was set, and of which players where these are not single sublayers."""
    how = [plain(row.estimator), *([plain(row.settings)] if row.settings else [])]
    if row.players != SUBLAYERS:
        how.append(f"players {plain(row.players)}")
    return ", ".join([*how, "partial"] if row.partial else how)
