"""Find ablations of one model and task over different documents, as while a run is writing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from store.rows import AblationRow
from tui.drawing.plain import plain


def uneven(rows: Sequence[AblationRow]) -> Iterator[str]:
    """Yield a sentence for each model and task whose rows have different numbers of documents."""
    counts: dict[tuple[str, str], set[int]] = {}
    for row in rows:
        counts.setdefault((row.model_id, row.task_id), set()).add(row.n)
    titles = {(row.model_id, row.task_id): f"{plain(row.model)} on {plain(row.task)}" for row in rows}
    for key, found in counts.items():
        if len(found) > 1:
            yield (
                f"{titles[key]}: some layers are of {min(found)} documents and others of up to {max(found)}, so they "
                "are not strictly comparable; a run on its way, or the same `cornerstone run` again, evens them out"
            )
