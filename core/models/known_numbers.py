"""Models that were seen to give numbers, kept in the user's cache beside the layouts."""

from __future__ import annotations

from core.machine.cached_fact import keep_fact, read_fact
from core.models.known_layout import about, fact_file

_KEPT = "the intact model gives numbers"


def gave_numbers(fingerprint: str, place: str) -> bool:
    """Return whether this model, on this kind of device, was seen to give a number for a document."""
    asked = about(fingerprint=fingerprint, place=place, seen=_KEPT)
    file = fact_file(asked)
    return file is not None and read_fact(file, asked) is True


def keep_gave_numbers(fingerprint: str, place: str) -> None:
    """Keep that a model gave a number. Where that is not possible, nothing changes."""
    asked = about(fingerprint=fingerprint, place=place, seen=_KEPT)
    if (file := fact_file(asked)) is not None:
        keep_fact(file, asked, True)
