"""Say how many tokens a run may have the model write, before it does. Light to import."""

from __future__ import annotations

from collections.abc import Iterable

from core.machine.whole_number import whole


def writing_cost(tasks: Iterable[tuple[int, int]], coalitions: int) -> str | None:
    """Return a sentence on the most tokens that are written; None if none are.

    Args:
        tasks: for each task, its number of documents, and the most tokens of an answer: 0 where the model writes none.
        coalitions: the most coalitions under which each document is evaluated.
    """
    writing = [(documents, tokens) for documents, tokens in tasks if tokens]
    if not writing:
        return None
    total = coalitions * sum(documents * tokens for documents, tokens in writing)
    each = " or ".join(f"{whole(tokens)}" for tokens in sorted({tokens for _, tokens in writing}))
    return f"the model writes up to {each} tokens an answer, at most {whole(total)} in all"
