"""Make the mask of a removal path, with its evidence."""

from __future__ import annotations

from core.coalitions.players import layers_of_experts
from core.engine.parameters import parameters_of
from core.errors import CornerstoneError
from core.removal_path.mask_file import Evidence, Mask, MaskedModel, Saved, mask_of
from core.removal_path.request import PathRequest
from core.removal_path.rows import PathRow
from core.removal_path.search import largest_step_within
from core.removal_path.study import Found


def chosen_step(found: Found, request: PathRequest) -> int:
    """Return the step whose removals become the mask.

    It is the last step, or the largest that keeps enough of the intact score. The documents that chose the path decide
    how much is kept, so that the held-out documents remain a fair judge.

    Raises:
        CornerstoneError: no step keeps enough.
    """
    if request.keep is None:
        return found.steps[-1].number
    rows = [row for row in _overall(found) if row.documents == "chosen by these"]
    scores = [row.score for row in rows]
    step = largest_step_within(scores, request.keep)
    if step is None:
        raise CornerstoneError(
            f"no step keeps {request.keep:g} of the intact {rows[0].value} of {scores[0]:.3f}, so there is no mask; "
            "keep a smaller part"
        )
    return step


def path_mask(found: Found, step: int, request: PathRequest) -> Mask:
    """Return the mask of the path's first ``step`` removals."""
    loaded, removed = found.bench.model, found.steps[step].removed
    record, counted = loaded.record, parameters_of(loaded.model, loaded.layout, removed)
    model = MaskedModel(
        name=record.name,
        source=record.source,
        revision=record.revision,
        fingerprint=record.fingerprint,
        dtype=record.dtype,
        family=record.family,
        kinds=record.kinds,
    )
    units = f"{request.players} and experts" if layers_of_experts(record.kinds) else request.players
    how = f"greedy path of {step} steps over {units}" + (
        "" if request.keep is None else f", the largest that keeps {request.keep:g} of the intact score"
    )
    evidence = tuple(_evidence(row, how) for row in _overall(found) if row.step == step)
    saved = Saved(counted.removed, counted.total, counted.removed_per_token, counted.total_per_token)
    return mask_of(model, removed, evidence, saved)


def _overall(found: Found) -> list[PathRow]:
    """Return the rows over all tasks."""
    most = max(len(row.tasks) for row in found.rows)
    return [row for row in found.rows if len(row.tasks) == most]


def _evidence(row: PathRow, how: str) -> Evidence:
    return Evidence(
        tasks=row.tasks,
        value=row.value,
        documents=row.documents,
        n=row.n,
        intact=row.intact,
        score=row.score,
        score_low=row.score_low,
        score_high=row.score_high,
        drop=row.drop,
        drop_low=row.drop_low,
        drop_high=row.drop_high,
        how=how,
    )
