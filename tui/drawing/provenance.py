"""The origin of a Shapley value in words, for reports, tables and figures."""

from __future__ import annotations

from core.coalitions.grouping import SUBLAYERS
from store.rows import ShapleyRow
from tui.drawing.plain import plain


def obtained(row: ShapleyRow) -> str:
    """Return the estimator of a row and its settings, and its players unless they are single sublayers."""
    how = [plain(row.estimator), *([plain(row.settings)] if row.settings else [])]
    if row.players != SUBLAYERS:
        how.append(f"players {plain(row.players)}")
    return ", ".join([*how, "partial"] if row.partial else how)
