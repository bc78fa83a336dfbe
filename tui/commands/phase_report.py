"""The report on a finished phase: the ablation table, and the players with the largest shares."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table

from core.values.derived import named
from store.rows import AblationRow, CoalitionRow, ShapleyRow
from tui.drawing.numbers import signed_between
from tui.drawing.plain import plain
from tui.drawing.provenance import obtained

_TOP = 3


def ablation_title(rows: Sequence[AblationRow]) -> str:
    """Return the title of the ablation table, which has the scores of the intact model and of chance."""
    first = rows[0]
    chance = "" if first.chance is None else f", chance {first.chance:.3f}"
    name = f"{plain(first.model)} on {plain(first.task)} ({plain(named(first.value))})"
    return f"{name}: intact {first.intact_acc:.3f}{chance}, n={first.n}"


def ablation_table(rows: Sequence[AblationRow]) -> Table:
    """Return a table with a line for each player. A drop whose interval is above zero stands out."""
    table = _table("removed", plain(named(rows[0].value)), "se", "drop", "95% interval")
    for row in rows:
        _add(table, row.label, _fixed(row.acc), _spread(row), drop=(row.drop, row.drop_low, row.drop_high))
    return table


def coalition_title(rows: Sequence[CoalitionRow]) -> str:
    """Return the title of the table of hand-picked coalitions."""
    return f"{plain(rows[0].model)} on {plain(rows[0].task)}: the sets picked"


def coalition_table(rows: Sequence[CoalitionRow]) -> Table:
    """Return a table with a line for each coalition, the intact model first. Clear drops stand out."""
    table = _table("removed", "n", plain(named(rows[0].value)), "se", "drop", "95% interval")
    for row in rows:
        cells = (row.label, str(row.n), _fixed(row.acc), _spread(row))
        _add(table, *cells, drop=(row.drop, row.drop_low, row.drop_high))
    return table


def top_players(rows: Sequence[ShapleyRow]) -> str:
    """Return a sentence on the players with the largest shares, their intervals, and the estimator."""
    first = rows[0]
    best = sorted(rows, key=lambda row: row.rank)[:_TOP]
    lines = [
        f"Top {len(best)} by Shapley share of {plain(first.model)} on {plain(first.task)}",
        f"  ({plain(named(first.value))}, {obtained(first)}, clipped at 0, n={first.n})",
    ]
    longest = max(8, *(len(row.label) for row in best))
    for row in best:
        if row.share is None or row.share_low is None or row.share_high is None:
            return "\n".join([*lines[:2], "  no player has a positive value"])
        lines.append(
            f"  {row.rank}. {row.label:<{longest}} {row.share:6.1%}  [{row.share_low:.1%} to {row.share_high:.1%}]"
            f"   phi {row.phi:+.3f} [{signed_between(row.phi_low, row.phi_high)}]"
        )
    return "\n".join(lines)


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        first = name == names[0]
        table.add_column(name, justify="left" if first else "right", no_wrap=not first, overflow="fold")
    return table


def _add(table: Table, *cells: str, drop: tuple[float | None, float | None, float | None]) -> None:
    """Add a line that ends in a drop and its interval."""
    mean, low, high = drop
    between = "" if low is None or high is None else signed_between(low, high)
    style = "bold" if low is not None and low > 0 else ""
    table.add_row(*cells, "" if mean is None else f"{mean:+.3f}", between, style=style)


def _fixed(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _spread(row: AblationRow | CoalitionRow) -> str:
    """Return the standard error; the 95% interval where there is none, because all documents have the same score."""
    if row.acc_se is not None or row.acc_low is None or row.acc_high is None:
        return _fixed(row.acc_se)
    return f"{row.acc_low:.3f} to {row.acc_high:.3f}"
