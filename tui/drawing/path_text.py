"""A removal path in words and cells, for the command and the explorer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.removal_path.rows import PathRow
from core.values.derived import named
from tui.drawing.numbers import signed_between
from tui.drawing.plain import plain


def path_title(rows: Sequence[PathRow], *, complete: bool = True) -> str:
    """Return the title of the table: the path, and which documents each score comes from."""
    first = rows[0]
    held_out = [row for row in rows if row.documents == "held out"]
    lines = [f"Removal path of {plain(first.model)} on {plain(', '.join(first.tasks))} ({plain(named(first.value))})"]
    lines.append(f"  chosen by {first.n} documents, intact {first.intact:.3f}: on these the score is too good")
    if held_out:
        lines.append(f"  held out {held_out[0].n} others, intact {held_out[0].intact:.3f}: what the path costs")
    elif not complete:
        lines.append("  documents held out, if any, are scored at the end: what the path costs is not known yet")
    else:
        lines.append("  no documents were held out, so what the path costs is not known")
    return "\n".join(lines)


def path_header(rows: Sequence[PathRow]) -> tuple[str, ...]:
    """Return the titles of the columns of ``path_lines``."""
    held_out = any(row.documents == "held out" for row in rows)
    more = ("held out", "drop", "95% interval") if held_out else ()
    return ("step", "removed", "weights", "score", "drop", "95% interval", *more)


def path_lines(rows: Sequence[PathRow]) -> Iterator[tuple[PathRow, list[str]]]:
    """Yield each step with its cells: the removed player, the remaining weights, and the scores."""
    held_out = {row.step: row for row in rows if row.documents == "held out"}
    for row in rows:
        if row.documents == "chosen by these":
            kept = 1 - row.parameters_removed / row.parameters_total
            cells = [str(row.step), row.label or "intact", f"{kept:.1%}", *_measured(row)]
            if row.step in held_out:
                cells += _measured(held_out[row.step])
            elif held_out:
                cells += ["", "", ""]
            yield row, cells


def _measured(row: PathRow) -> list[str]:
    if row.step == 0:
        return [f"{row.score:.3f}", "", ""]
    return [f"{row.score:.3f}", f"{row.drop:+.3f}", signed_between(row.drop_low, row.drop_high)]
