"""Rows in any format: the same columns everywhere, numbers as numbers, files whole or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import CornerstoneError
from core.machine.atomic_file import whole_file
from store.formats.columns import columns_of
from store.formats.registry import format_named

__all__ = ["columns_of", "render", "write"]


def render(rows: Sequence[Any], row_type: type, form: str) -> str:
    """Return rows as text.

    Args:
        rows: the rows of one table.
        row_type: their dataclass.
        form: the name of a text format.

    Raises:
        CornerstoneError: there is no such format, or it is no text.
    """
    found = format_named(form)
    if found.render is None:
        raise CornerstoneError(f"{form} is no text; write it to a file")
    return found.render(rows, row_type)


def write(rows: Sequence[Any], row_type: type, form: str, path: Path, *, force: bool) -> None:
    """Write rows to a file, which is there as a whole or not at all.

    Args:
        rows: the rows of one table.
        row_type: their dataclass.
        form: the name of a format.
        path: the file to write.
        force: replace a file that is there.

    Raises:
        CornerstoneError: there is no such format, ``path`` is a folder, the file is there and may not be replaced, or
            it cannot be written.
    """
    found = format_named(form)
    with whole_file(path, force=force) as fresh:
        if found.write is not None:
            found.write(rows, row_type, fresh)
        else:
            fresh.write_text(render(rows, row_type, form), encoding="utf-8", newline="")
