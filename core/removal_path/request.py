"""What is asked of a removal path: plain values that a command passes on to the process that does it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import pydantic

from core.grouping import SUBLAYERS

DEFAULT_STEPS = 8


class PathRequest(pydantic.BaseModel, frozen=True, extra="forbid"):
    """How a path is searched, and what becomes of it.

    ``keep`` is the part of the intact score that the mask's step must leave; None for the last step. Rows go to
    ``output`` or stdout, in the format ``form``.
    """

    steps: Annotated[int, pydantic.Field(ge=1)] = DEFAULT_STEPS
    value: str = "acc"
    players: str = SUBLAYERS
    held_out: bool = True
    keep: Annotated[float, pydantic.Field(gt=0, le=1)] | None = None
    mask: Path | None = None
    form: str | None = None
    output: Path | None = None
    force: bool = False
