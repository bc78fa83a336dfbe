"""The spools that processes left behind: list them, and store what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.recording.entries import Decoder
from core.recording.frames import frames
from core.recording.spool_folder import ASIDE, claimed, spools_of
from core.recording.writes import Record, Write, joined
from core.records.records import Recorder, UnknownRunError


@dataclass(frozen=True, slots=True)
class WaitingSpool:
    """A spool of a store.

    Attributes:
        path: its file.
        outcomes: the number of outcomes that can be read.
        damaged: the number of records that cannot be read.
        written: whether a living process writes it; otherwise the next one that writes to the store takes it over.
    """

    path: Path
    outcomes: int
    damaged: int
    written: bool


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of a spool: ``aside`` is where it was kept because records of it are ``damaged``.

    ``unfinished`` tells that its writer was killed within a record, which it had not yet called safe.
    """

    path: Path
    outcomes: int
    damaged: int
    unfinished: bool
    aside: Path | None

    @property
    def sentence(self) -> str:
        """What happened, for a person; empty if there was nothing to store."""
        parts = []
        if self.outcomes:
            parts.append(f"{self.outcomes} outcomes that an earlier run left in {self.path} are stored now")
        if self.damaged:
            parts.append(f"{self.damaged} damaged records of it cannot be read, and it is kept as {self.aside}")
        if self.unfinished:
            parts.append(f"the last record of {self.path.name} was cut off, so its documents are evaluated again")
        return "; ".join(parts)


def waiting_spools(store: Path) -> tuple[WaitingSpool, ...]:
    """List the spools of a store, the oldest first, without changing them."""
    found = []
    for path in spools_of(store):
        with claimed(path) as mine:
            written = mine is None
        try:
            with path.open("rb") as file:
                content = _Content(file)
                outcomes = sum(len(write.outcomes) for write in content if isinstance(write, Record))
        except OSError:
            continue  # stored and removed meanwhile
        found.append(WaitingSpool(path, outcomes, content.damaged, written))
    return tuple(found)


def damaged_spools(store: Path) -> tuple[Path, ...]:
    """List the spools of a store that were kept aside because a part of them cannot be read."""
    return tuple(spools_of(store, ASIDE))


def recover(store: Path, recorder: Recorder) -> Iterator[Recovered]:
    """Store what is in the spools that no living process writes, and yield what became of each.

    A spool is removed once all of it is stored. What is in it twice, or in the store already, is stored once.

    Args:
        store: the file that the spools wait for.
        recorder: writes to that file.

    Raises:
        Exception: whatever the recorder raises; the spool stays, and storing it again later is right.
        OSError: a spool cannot be read or removed.
    """
    for path in spools_of(store):
        with claimed(path) as file:
            if file is None:
                continue
            content = _Content(file)
            outcomes = unknown = 0
            for write in joined(content):
                try:
                    write.apply(recorder)
                except (UnknownRunError, KeyError):  # the entry that began its run is damaged
                    unknown += 1
                else:
                    outcomes += len(write.outcomes) if isinstance(write, Record) else 0
            damaged = content.damaged + unknown
            aside = path.with_suffix(ASIDE) if damaged else None
            if aside is None:
                path.unlink()
            else:
                path.rename(aside)
        yield Recovered(path, outcomes, damaged, content.torn, aside)


class _Content:
    """The writes of a spool's file, and after them what could not be read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.damaged = 0
        self.torn = False

    def __iter__(self) -> Iterator[Write]:
        decoder = Decoder()
        for frame in frames(self._file):
            self.torn |= frame.payload is None and frame.state == "torn"
            self.damaged += frame.state == "damaged"
            if frame.payload is None:
                continue
            try:
                write = decoder.write(frame.payload)
            except ValueError:
                self.damaged += frame.state != "damaged"
                continue
            if write is not None:
                yield write
