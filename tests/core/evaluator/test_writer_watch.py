"""Who else writes to the store: looked at again only where the file changed, or while somebody writes."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from core.errors import InUseError
from core.evaluator.writer_watch import WriterWatch
from core.records.memory_recorder import MemoryRecorder
from core.records.records import Writer

RUN = Writer("1a2b", "cornerstone run quickstart")


class Counted(MemoryRecorder):
    """Counts how often it is read."""

    def __init__(self) -> None:
        super().__init__()
        self.found: tuple[Writer, ...] = ()
        self.reads = 0
        self.held = False

    def writers(self) -> tuple[Writer, ...]:
        self.reads += 1
        if self.held:
            raise InUseError("in use")
        return self.found


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "s.duckdb"
    path.write_bytes(b"1")
    return path


def test_only_a_change_is_read_and_only_another_answer_is_told(store: Path) -> None:
    recorder, told = Counted(), list[tuple[Writer, ...]]()
    watch = WriterWatch(recorder, store, told.append)
    for _ in range(3):
        watch.look()
    assert (recorder.reads, told) == (1, [])
    recorder.found = (RUN,)
    watch.look()
    assert recorder.reads == 1
    store.write_bytes(b"12")
    watch.look()
    watch.look()
    assert told == [(RUN,)]
    recorder.found = ()  # it was killed: the file stays as it is
    watch.look()
    assert told == [(RUN,), ()]
    reads = recorder.reads
    watch.look()
    assert recorder.reads == reads


def test_a_store_in_use_is_looked_at_again(store: Path) -> None:
    recorder, told = Counted(), list[tuple[Writer, ...]]()
    recorder.held, recorder.found = True, (RUN,)
    watch = WriterWatch(recorder, store, told.append)
    watch.look()
    recorder.held = False
    watch.look()
    assert told == [(RUN,)]


def test_its_thread_looks_and_ends(store: Path) -> None:
    recorder = Counted()
    recorder.found = (RUN,)
    told = list[tuple[Writer, ...]]()
    watch = WriterWatch(recorder, store, told.append, every_s=0.01)
    watch.start()
    while not told:
        time.sleep(0.01)
    watch.stop()
    assert told == [(RUN,)]
