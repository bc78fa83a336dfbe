"""Say what is wrong with the filters that a task of the user applies to the texts that the model writes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import lm_eval.filters  # noqa: F401 registers lm-eval's filters
from lm_eval.api.registry import filter_registry

from core.machine.plain_text import short_repr


def fault_of_filters(filters: Any) -> str | None:
    """Return what is wrong with a task's ``filter_list``; None if lm-eval can apply it."""
    if not isinstance(filters, list):
        return f"filter_list should be a list, not {short_repr(filters)}"
    names: set[str] = set()
    for number, pipeline in enumerate(filters, 1):
        named = isinstance(pipeline, Mapping) and isinstance(pipeline.get("name"), str)
        if not named or not isinstance(pipeline.get("filter"), list) or not pipeline["filter"]:
            return f"entry {number} of filter_list should have a `name:` and a list `filter:`"
        if pipeline["name"] in names:
            return f"two entries of filter_list are named {short_repr(pipeline['name'])}"
        names.add(pipeline["name"])
        for step in pipeline["filter"]:
            if not isinstance(step, Mapping) or "function" not in step:
                return f"entry {number} of filter_list: each step should have a `function:`"
            function = step["function"]
            if not callable(function) and function not in filter_registry:
                return f"entry {number} of filter_list: lm-eval has no filter {short_repr(function)}"
    return None
