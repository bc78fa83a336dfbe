"""How a sweep begins: with few documents, so that charts show something after seconds; then with more and more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_FIRST_OUTCOMES: Final = 500
_FEWEST: Final = 2
"""An interval needs two documents."""


def first_documents(coalitions: int) -> int:
    """Return how many documents the first chunk of a sweep has at most."""
    return max(_FEWEST, _FIRST_OUTCOMES // coalitions)


def growing(coalitions: int) -> Iterator[int]:
    """Yield the most documents of each chunk, twice as many each time."""
    documents = first_documents(coalitions)
    while True:
        yield documents
        documents *= 2
