"""Say what is wrong with a metric of a task: what lm-eval does not know, or would fetch and run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lm_eval.api.registry import AGGREGATION_REGISTRY, METRIC_REGISTRY

from core.machine.plain_text import plain, short_repr


def fault_of_metric(metric: Mapping[str, Any], *, processed: bool) -> str | None:
    """Return what is wrong with a metric; ``processed`` says whether a function of the task computes it."""
    name, how = metric["metric"], metric.get("aggregation")
    known = name in METRIC_REGISTRY if isinstance(name, str) else False
    if metric.get("hf_evaluate"):
        return "hf_evaluate would fetch and run code"
    if isinstance(name, str) and not known and not processed:
        return f"lm-eval has no metric {short_repr(name)}"
    if isinstance(how, str) and how not in AGGREGATION_REGISTRY:
        return f"lm-eval has no aggregation {short_repr(how)}"
    told = plain(str(getattr(name, "__name__", name)))
    return None if how is not None or known else f"{told} needs an aggregation"
