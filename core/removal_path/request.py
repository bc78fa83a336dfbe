"""The settings of a removal path, as plain values that a command passes on to the process that searches it."""

from __future__ import annotations

from typing import Annotated, Literal

import pydantic

from core.coalitions.grouping import SUBLAYERS, grouping_name
from core.errors import CornerstoneError
from core.values.derived import derived_values

DEFAULT_STEPS = 8


class PathRequest(pydantic.BaseModel, frozen=True, extra="forbid"):
    """The settings of a search.

    ``value`` is the value that the path keeps high; None for the first task's own. ``keep`` is the part of the
    intact score that the mask's step must leave; None for the last step.
    """

    type: Literal["path"] = "path"
    steps: Annotated[int, pydantic.Field(ge=1)] = DEFAULT_STEPS
    value: str | None = None
    players: str = SUBLAYERS
    held_out: bool = True
    keep: Annotated[float, pydantic.Field(gt=0, le=1)] | None = None

    def refuse_nonsense(self) -> None:
        """Refuse settings that are wrong for every model.

        Raises:
            CornerstoneError: there is no such grouping, or the value is no score that a part of could be kept.
        """
        grouping_name(self.players)
        if self.keep is not None and self.value in derived_values():
            raise CornerstoneError(f"keep is a part of a score, and {self.value} is none; use the value acc")
