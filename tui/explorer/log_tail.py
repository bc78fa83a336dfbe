"""The last lines of a log file, read again only if it changed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from tui.drawing.plain import plain

MOST_LINES: Final = 200
_MOST_BYTES: Final = 2**15


class LogTail:
    """The end of a file that grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen: tuple[int, int] | None = None

    def changed(self) -> str | None:
        """Return the last lines as plain text if they are others than at the last call; None if not.

        A file that is not there has no lines.
        """
        try:
            status = os.stat(self.path)
            state = (status.st_mtime_ns, status.st_size)
            if state == self._seen:
                return None
            with self.path.open("rb") as file:
                file.seek(max(0, status.st_size - _MOST_BYTES))
                content = file.read(_MOST_BYTES)
        except OSError:
            gone, self._seen = self._seen != (0, 0), (0, 0)
            return "" if gone else None
        self._seen = state
        lines = content.decode("utf-8", "replace").splitlines()
        if status.st_size > _MOST_BYTES:
            del lines[:1]  # it may have lost its beginning
        return "\n".join(map(plain, lines[-MOST_LINES:]))
