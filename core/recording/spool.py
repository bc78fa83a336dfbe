"""The spool of this process: a file that keeps writes until the store takes them, durable after each append."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.recording.entries import Encoder, outcomes_of
from core.recording.frames import framed, unframed
from core.recording.spool_folder import ASIDE, SUFFIX, key_of, locked, made_folder, spool_folder, sync_folder
from core.recording.writes import Write
from core.records.records import Outcome, RunRecord

_BLOCK = 2**20


@dataclass(frozen=True, slots=True)
class Place:
    """The record of a write in the spool: its first byte and its length."""

    offset: int
    length: int


class Spool:
    """A file in the user's state folder, made at the first ``append``. It is no safer for threads than a list.

    A lock on the file tells other processes that its writer lives. ``release`` and the end of the process end that.
    """

    def __init__(self, store: Path) -> None:
        """Make a spool of the outcomes that wait for ``store``."""
        self._store = store
        self._file: int | None = None
        self._path: Path | None = None
        self._end = 0
        self._encoder = Encoder()
        self._damaged = False

    @property
    def place(self) -> Path:
        """The file, or the folder that it will be made in."""
        return self._path or spool_folder()

    def append(self, writes: Sequence[Write], run_of: Callable[[str], RunRecord | None]) -> list[Place]:
        """Append writes, and return where each is once all are on the disk.

        Args:
            writes: the writes, in order.
            run_of: returns the run of an id, if it is known.

        Raises:
            OSError: the file cannot be made or written; nothing was appended.
        """
        encoder = self._encoder.copy()
        records, places, end = [], [], self._end
        for write in writes:
            own = (end, 0)
            for entry in encoder.entries(write, run_of(write.run_id)):
                record = framed(entry)
                records.append(record)
                own = (end, len(record))
                end += len(record)
            places.append(Place(*own))
        file = self._opened()
        try:
            _write_at(file, self._end, b"".join(records))
            os.fsync(file)
        except OSError:
            with suppress(OSError):
                os.ftruncate(file, self._end)
            raise
        self._encoder, self._end = encoder, end
        return places

    def outcomes(self, place: Place) -> list[Outcome]:
        """Return the outcomes of a write that was appended.

        Raises:
            ValueError: the file was damaged; it will be kept aside.
            OSError: the file cannot be read.
        """
        assert self._file is not None
        entry = unframed(os.pread(self._file, place.length, place.offset))
        try:
            if entry is None:
                raise ValueError("its bytes were changed")
            return outcomes_of(entry)
        except ValueError as error:
            self._damaged = True
            raise ValueError(f"a record of {self._path} cannot be read ({error})") from error

    def discard(self) -> Path | None:
        """Remove the file, as all its writes are stored; return where it was kept if it was damaged."""
        aside = None
        if self._path is not None and self._damaged:
            aside = self._path.with_suffix(ASIDE)
            self._path.rename(aside)
        elif self._path is not None:
            self._path.unlink(missing_ok=True)
        self._close()
        return aside

    def release(self) -> None:
        """Leave the file to the next process that writes to the store."""
        self._close()

    def _opened(self) -> int:
        if self._file is not None and os.fstat(self._file).st_nlink:
            return self._file
        removed, self._file = self._file, None
        folder = made_folder()
        path = folder / f"{key_of(self._store)}-{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
        hidden = path.with_suffix(".new")
        file = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        try:
            if not locked(file):  # before others see it: they take over what is not locked
                raise OSError(0, "its file system has no locks", str(folder))
            if removed is not None:  # by somebody else: its content is still there
                for offset in range(0, self._end, _BLOCK):
                    _write_at(file, offset, os.pread(removed, min(_BLOCK, self._end - offset), offset))
            hidden.rename(path)
            sync_folder(folder)
        except OSError:
            os.close(file)
            for name in (hidden, path):
                name.unlink(missing_ok=True)
            self._file = removed
            raise
        if removed is not None:
            os.close(removed)
        self._file, self._path = file, path
        return file

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
        self._file = self._path = None
        self._end, self._encoder, self._damaged = 0, Encoder(), False


def _write_at(file: int, offset: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        done = os.pwrite(file, view, offset)
        view, offset = view[done:], offset + done
