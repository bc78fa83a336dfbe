"""Whole numbers for people."""

from __future__ import annotations


def whole(number: float) -> str:
    """Return a whole number such as ``12 345``."""
    return f"{int(number):,}".replace(",", " ")
