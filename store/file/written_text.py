"""Where a store has the text that a model wrote: among the other values of an outcome."""

from __future__ import annotations

from core.records.records import WRITTEN


def written_in(outcomes: str) -> str:
    """Return the SQL of the text that the model wrote; null where it gave log-probabilities.

    Args:
        outcomes: the name by which the query knows the outcomes.
    """
    return f"json_extract_string({outcomes}.other, '$.{WRITTEN}')"
