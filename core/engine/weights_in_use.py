"""Notice that weights are overwritten while they are in use.

On a CPU, and where weights are offloaded to the disk, torch reads them from their file whenever it needs them. A file
that another program overwrites in place then changes the loaded model.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path
from typing import cast

from core.errors import CornerstoneError
from core.machine.file_state import FileState
from core.machine.regular_file import open_regular
from core.records.fingerprint import file_digest


class WeightsInUse:
    """The files that a loaded model still reads, held open: to rename or delete them changes nothing."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Hold files open.

        Raises:
            CornerstoneError: a file cannot be read.
            OSError: a file cannot be opened.
        """
        self._files = [_HeldFile(path) for path in paths]

    def refuse_changed(self) -> None:
        """Raise if a file has another content than it had.

        Raises:
            CornerstoneError: a file was overwritten.
        """
        for file in self._files:
            file.refuse_changed()


class _HeldFile:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = file_digest(path)
        self._file = open_regular(path)
        self._state = self._now()

    def refuse_changed(self) -> None:
        now = self._now()
        if now == self._state:
            return
        self._file.seek(0)
        if hashlib.file_digest(cast("BufferedReader", self._file), "sha256").hexdigest() != self._digest:
            raise CornerstoneError(
                f"{self._path} was overwritten while its model was evaluated; what it gave since is not stored: "
                "run again once it is written"
            )
        self._state = now

    def _now(self) -> FileState:
        return FileState.of(os.fstat(self._file.fileno()))
