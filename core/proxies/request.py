"""A request for proxies that an explorer sends. Light to import."""

from __future__ import annotations

from typing import Literal

import pydantic


class MeasureProxies(pydantic.BaseModel, frozen=True, extra="forbid"):
    """Measure proxies; ``value`` is the score of drops and Shapley values, None for each task's own."""

    type: Literal["proxies"] = "proxies"
    value: str | None = None
