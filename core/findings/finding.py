"""A finding: the rows of a removal path, or of proxies, with what identifies them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import pydantic

from core.config.gap import Gap
from core.proxies.rows import CorrelationRow, ProxyRow
from core.records.fingerprint import digest_of
from core.removal_path.request import PathRequest
from core.removal_path.rows import PathRow


class _Finding(pydantic.BaseModel):
    """The fields that every finding has. ``made`` is the time in UTC."""

    model_config = pydantic.ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    made: datetime


class PathFinding(_Finding):
    """A removal path; it is not ``complete`` while it is searched, or if the search was stopped.

    ``tasks`` are the ids of its tasks, in the order of the rows' names.
    """

    type: Literal["path"] = "path"
    request: PathRequest
    tasks: tuple[str, ...]
    complete: bool
    rows: Annotated[tuple[PathRow, ...], pydantic.Field(min_length=1)]

    @property
    def overall(self) -> tuple[PathRow, ...]:
        """The rows over all tasks."""
        most = max(len(row.tasks) for row in self.rows)
        return tuple(row for row in self.rows if len(row.tasks) == most)

    @property
    def key(self) -> str:
        """A name that a later search of the same path on the same documents has too."""
        first = self.overall[0]
        named = [first.model_id, first.value, str(first.n), self.request.model_dump_json(), *self.tasks]
        return f"path-{digest_of(list(named))[:16]}"


class ProxyFinding(_Finding):
    """The proxies of one model on one task, and their correlations with what is stored. ``gaps`` say what is not."""

    type: Literal["proxies"] = "proxies"
    rows: Annotated[tuple[ProxyRow, ...], pydantic.Field(min_length=1)]
    correlations: tuple[CorrelationRow, ...]
    gaps: tuple[Gap, ...] = ()

    @property
    def key(self) -> str:
        """A name that a later measurement of the same documents has too."""
        first = self.rows[0]
        return f"proxies-{digest_of([first.model_id, first.task_id, first.value, str(first.n)])[:16]}"


Finding = Annotated[PathFinding | ProxyFinding, pydantic.Field(discriminator="type")]
