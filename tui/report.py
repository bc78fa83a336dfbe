"""What a finished phase prints: the ablation table, and the players that carry the most."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table

from store.rows import AblationRow, ShapleyRow
from tui.text import plain


def ablation_title(rows: Sequence[AblationRow]) -> str:
    """What the drops are measured against."""
    first = rows[0]
    chance = "" if first.chance is None else f", chance {first.chance:.3f}"
    name = f"{plain(first.model)} on {plain(first.task)}"
    return f"{name}: intact {first.value} {first.intact_acc:.3f}{chance}, n={first.n}"


def ablation_table(rows: Sequence[AblationRow]) -> Table:
    """One line a player; a drop whose interval is above zero is set off."""
    first = rows[0]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("removed", first.value, "se", "drop", "95% interval"):
        table.add_column(name, justify="left" if name == "removed" else "right", no_wrap=True)
    for row in rows:
        table.add_row(
            row.label,
            f"{row.acc:.3f}",
            "" if row.acc_se is None else f"{row.acc_se:.3f}",
            f"{row.drop:+.3f}",
            f"{row.drop_low:+.3f} to {row.drop_high:+.3f}",
            style="bold" if row.drop_low > 0 else "",
        )
    return table


def top_players(rows: Sequence[ShapleyRow], count: int = 3) -> str:
    """The players with the largest share, in words, with their intervals and how they were obtained."""
    first = rows[0]
    best = sorted(rows, key=lambda row: row.rank)[:count]
    lines = [
        f"Top {count} by Shapley share of {plain(first.model)} on {plain(first.task)}",
        f"  ({first.value}, {first.estimator}, windows of up to {first.max_removed}, clipped at 0, n={first.n})",
    ]
    for row in best:
        if row.share is None or row.share_low is None or row.share_high is None:
            return "\n".join([*lines[:2], "  no player has a positive value"])
        lines.append(
            f"  {row.rank}. {row.label:<8} {row.share:6.1%}  [{row.share_low:.1%} to {row.share_high:.1%}]"
            f"   phi {row.phi:+.3f} [{row.phi_low:+.3f} to {row.phi_high:+.3f}]"
        )
    return "\n".join(lines)
