"""Turns: in order, shared by readers, given back by a process that is killed, and never needed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors import CornerstoneError, InUseError
from core.evaluator.address import turns_folder
from store.file import holders
from store.file.database import reading
from store.file.turns import turn
from store.file.waiting import Waiting
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.store_records import assignment, documents, keep, outcome, run

_TAKE = """
import sys, time
from pathlib import Path
from store.file.turns import turn
from store.file.waiting import Waiting
path, kind = Path(sys.argv[1]), sys.argv[2]
print("asks", flush=True)
with turn(path, Waiting(path, 240, None), alone=kind == "alone"):
    print("has", flush=True)
    sys.stdin.readline()
"""


class _Other:
    """Another process that takes a turn and keeps it until it is told."""

    def __init__(self, path: Path, kind: str) -> None:
        command = [sys.executable, "-c", _TAKE, str(path), kind]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._line() == "asks\n"

    def has_its_turn(self) -> None:
        assert self._line() == "has\n"

    def end(self) -> None:
        self.process.communicate("\n", timeout=240)

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@contextmanager
def _others(path: Path, *kinds: str) -> Iterator[list[_Other]]:
    """Yield processes that ask for a turn one after the other; the first has its turn."""
    others: list[_Other] = []
    try:
        for kind in kinds:
            others.append(_Other(path, kind))
            if len(others) == 1:
                others[0].has_its_turn()
            _until_waiting(path, len(others))
        yield others
    finally:
        for other in others:
            other.process.kill()
            other.process.communicate()


def _until_waiting(path: Path, count: int) -> None:
    """Wait until so many processes have a turn or wait for one (each that waits has a ticket)."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline and len(_tickets(path)) < count - 1:
        time.sleep(0.01)


def _tickets(path: Path) -> list[str]:
    folder = turns_folder(path)
    return [name for name in os.listdir(folder) if name != "lock"] if folder.exists() else []


@contextmanager
def _mine(path: Path, patience: float, *, alone: bool) -> Iterator[None]:
    with turn(path, Waiting(path, patience, None), alone=alone):
        yield


def test_a_writer_comes_before_the_readers_that_come_after_it(path: Path) -> None:
    with _others(path, "shared", "alone", "shared") as (reader, writer, late):
        with pytest.raises(InUseError), _mine(path, 0.3, alone=False):
            pass
        reader.end()
        writer.has_its_turn()
        writer.end()
        late.has_its_turn()
        late.end()
    assert not turns_folder(path).exists()


def test_readers_share_a_turn(path: Path) -> None:
    with _others(path, "shared") as (reader,):
        with _mine(path, 0, alone=False):
            pass
        with pytest.raises(InUseError), _mine(path, 0, alone=True):
            pass
        reader.end()
    assert not turns_folder(path).exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_turn_and_a_place_in_the_order_end_with_their_process(path: Path, number: int) -> None:
    with _others(path, "alone", "alone") as (writer, waiting):
        waiting.process.send_signal(number)
        waiting.process.wait(240)
        writer.process.send_signal(number)
        writer.process.wait(240)
        with _mine(path, 240, alone=True):
            assert _tickets(path) == []
    assert not turns_folder(path).exists()


def test_who_has_a_turn_may_take_another_while_a_writer_waits(path: Path) -> None:
    keep(path, assignment(documents([0]), [()]), [outcome("doc-0")])
    with reading(path):
        writer = threading.Thread(target=StoreRecorder(path, patience=240).begin, args=[run("later")])
        writer.start()
        _until_waiting(path, 2)
        assert len(Results(path, patience=0).runs().rows) == 1
    writer.join()
    assert len(Results(path).runs().rows) == 2


def test_who_waits_goes_on_without_a_turn_where_the_folder_is_removed(path: Path) -> None:
    had: list[str] = []

    def wait() -> None:
        with _mine(path, 240, alone=True):
            had.append("its turn")

    with _others(path, "shared") as (reader,):
        waiter = threading.Thread(target=wait)
        waiter.start()
        _until_waiting(path, 2)
        assert had == []
        shutil.rmtree(turns_folder(path))
        waiter.join(240)
        assert had == ["its turn"]
        reader.end()


def test_without_a_folder_for_turns_stores_work_all_the_same(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_store: Path) -> Path:
        raise CornerstoneError("/tmp/cornerstone-0 is not a folder of yours alone")

    monkeypatch.setattr(holders, "turns_folder", refuse)
    StoreRecorder(path).begin(run())
    assert len(Results(path).runs().rows) == 1


def test_turns_leave_no_files_behind(path: Path) -> None:
    StoreRecorder(path).begin(run())
    Results(path).runs()
    assert not turns_folder(path).exists()


def test_a_full_disk_for_turns_is_no_hindrance(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holders, "turns_folder", lambda _store: Path("/proc/nothing"))
    StoreRecorder(path).begin(run())
    assert len(Results(path).runs().rows) == 1


_HAMMER = """
import sys, time
from pathlib import Path
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.store_records import assignment, documents, outcome, run
path, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
if name == "reader":
    for _ in range(count):
        Results(path).outcomes()
else:
    asked = assignment(documents(range(count), prefix=name), [()])
    recorder = StoreRecorder(path)
    recorder.begin(run(name))
    recorder.assign(name, asked)
    for document in asked.documents:
        recorder.record(name, asked, [outcome(document.key)])
"""


@pytest.mark.slow
def test_readers_that_overlap_do_not_keep_writers_out(path: Path) -> None:
    """Of old, 4 readers kept 8 of 12 writers out for 30 seconds each."""
    keep(path, assignment(documents([0], prefix="first"), [()]), [outcome("first-0")], run_id="first")
    names = ["a", "b", "c", "d", "reader", "reader", "reader", "reader"]
    root = str(Path(__file__).parents[3])
    working = [
        subprocess.Popen([sys.executable, "-c", _HAMMER, str(path), name, "6"], cwd=root, stderr=subprocess.PIPE)
        for name in names
    ]
    told = [one.communicate(timeout=240)[1] for one in working]
    assert [one.returncode for one in working] == [0] * len(names), told
    assert len(Results(path).outcomes().rows) == 1 + 4 * 6
    assert not turns_folder(path).exists()
