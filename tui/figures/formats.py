"""The formats of figures. Light to import: matplotlib, which writes caches of its own, is not loaded for a refusal."""

from __future__ import annotations

from pathlib import Path

from core.errors import CornerstoneError

FORMATS = ("svg", "pdf", "png")


def format_of(path: Path) -> str:
    """Return the one of ``FORMATS`` that the file's name ends in.

    Raises:
        CornerstoneError: it ends in none of them.
    """
    ending = path.suffix.removeprefix(".").lower()
    if ending not in FORMATS:
        raise CornerstoneError(f"{path.name!r} is not a name for a figure; let it end in .svg, .pdf or .png")
    return ending
