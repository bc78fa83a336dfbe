"""Write a figure as SVG, PDF or PNG by the file's ending; the same figure gives the same bytes."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from core.machine.atomic_file import whole_file
from tui.figures.formats import format_of
from tui.figures.style import styled

# No date, so that the same results make the same file.
_METADATA: dict[str, dict[str, Any]] = {
    "svg": {"Creator": "cornerstone", "Date": None},
    "pdf": {"Creator": "cornerstone", "CreationDate": None},
    "png": {"Software": "cornerstone"},
}


def save(figure: Figure, path: Path, *, force: bool) -> None:
    """Write a figure to a file, which is complete or absent.

    Args:
        figure: a figure from one of the functions in this folder.
        path: the file; its ending chooses the format.
        force: replace a file that exists.

    Raises:
        CornerstoneError: the ending is no format of ``tui.figures.formats``, or the file cannot be written.
    """
    form = format_of(path)
    with whole_file(path, force=force) as fresh, styled(), warnings.catch_warnings():
        # The font may lack characters of a name. They are drawn as boxes, and stay text in SVG.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(fresh, format=form, metadata=_METADATA[form])
