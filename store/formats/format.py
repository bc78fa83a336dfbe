"""The dataclass of a format. Each module of this folder that defines ``FORMAT`` adds one; a plugin lists its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_NAME = re.compile(r"[a-z][a-z0-9-]*")
_ENDING = re.compile(r"\.[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Format:
    """One way to write the rows of a table. A text format has ``render``, any other has ``write``.

    Attributes:
        name: the name that users choose it by, such as ``csv``: lower-case letters, digits and hyphens.
        endings: the endings of its files' names, such as ``.csv``; the first is the default.
        summary: a description of a few words, for help.
        render: returns the text for rows and their dataclass.
        write: writes rows of a dataclass to a path, where there is no file yet.

    Raises:
        ValueError: the name or an ending is malformed, or not exactly one function is given.
    """

    name: str
    endings: tuple[str, ...]
    summary: str
    render: Callable[[Sequence[Any], type], str] | None = None
    write: Callable[[Sequence[Any], type, Path], None] | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"the format name {self.name!r} is not made of lower-case letters, digits and hyphens")
        if not self.endings or not all(map(_ENDING.fullmatch, self.endings)):
            raise ValueError(f"the format {self.name} needs endings such as '.csv', in lower case, not {self.endings}")
        if (self.render is None) == (self.write is None):
            raise ValueError(f"the format {self.name} needs either render (for text) or write (for anything else)")

    @property
    def text(self) -> bool:
        """Whether it is text, which may be printed."""
        return self.render is not None
