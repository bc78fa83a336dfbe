"""How many bytes outcomes take in the store. Light to import."""

from __future__ import annotations

from typing import Final

EMPTY: Final = 6_000_000
"""Bytes of a store without outcomes."""
_EACH: Final = 14.0
"""Bytes of an outcome: its keys and values, compressed."""
_REQUEST: Final = 8.5
"""Bytes of a log-probability, which hardly compresses."""


def stored_bytes(outcomes: int, requests: float) -> int:
    """Return the bytes of so many outcomes with so many scored continuations each.

    Measured on a store of 82 955 outcomes of ARC-Easy with four continuations each, and on stores of a few thousand.
    """
    return round(outcomes * (_EACH + _REQUEST * requests))
