"""Work in another process: its result, its errors, and its sudden end."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from multiprocessing.process import BaseProcess

import duckdb
import pytest

from core.errors import CornerstoneError, Mend
from store.maintenance.apart import CrashError, Tell, Waits, apart


def _double(tell: Tell, number: int) -> int:
    tell("half way")
    tell(Waits("it is in use"))
    return 2 * number


def _refuse(tell: Tell) -> None:
    raise CornerstoneError("no store", Mend.OTHER_STORE)


def _abort(tell: Tell) -> None:
    tell("so far")
    os.kill(os.getpid(), signal.SIGSEGV)


def _killed(tell: Tell) -> None:
    tell("so far")
    os.kill(os.getpid(), signal.SIGKILL)


def _without_memory(tell: Tell) -> None:
    raise MemoryError


def _stopped(tell: Tell) -> None:
    raise KeyboardInterrupt


class _Unstartable:
    """Cannot be read in the other process, as nothing can where it has no memory."""

    def __reduce__(self) -> tuple[Callable[[], None], tuple[()]]:
        return _fail, ()


def _fail() -> None:
    raise MemoryError


def _leave(tell: Tell) -> None:
    os._exit(3)


def _damaged(tell: Tell) -> None:
    raise duckdb.IOException("IO Error: Could not read enough bytes")


def _wrong_sql(tell: Tell) -> None:
    duckdb.connect().execute("SELECT nothing_of_that_name")


def test_the_result_and_the_messages_come_back() -> None:
    told: list[object] = []
    waits: list[str] = []
    assert apart(_double, 21, told=told.append, on_wait=waits.append) == 42
    assert (told, waits) == (["half way"], ["it is in use"])


def test_an_error_for_people_comes_back_with_its_mend() -> None:
    with pytest.raises(CornerstoneError, match="no store") as refused:
        apart(_refuse)
    assert refused.value.mend == Mend.OTHER_STORE


@pytest.mark.parametrize(("work", "said"), [(_abort, "SIGSEGV"), (_leave, "ended"), (_damaged, "missing")])
def test_a_process_that_ends_or_cannot_read_is_a_crash(work: object, said: str) -> None:
    with pytest.raises(CrashError, match=said):
        apart(work)  # type: ignore[arg-type]


def test_what_was_told_before_the_end_is_not_lost() -> None:
    told: list[object] = []
    with pytest.raises(CrashError):
        apart(_abort, told=told.append)
    assert told == ["so far"]


def test_a_fault_of_the_program_is_no_damage() -> None:
    with pytest.raises(RuntimeError, match="nothing_of_that_name"):
        apart(_wrong_sql)


@pytest.mark.parametrize(
    ("work", "said"),
    [(_killed, "ended by SIGKILL"), (_without_memory, "not enough memory"), (_stopped, "stopped")],
)
def test_an_end_that_comes_from_outside_tells_nothing_of_the_file(work: Callable[..., object], said: str) -> None:
    with pytest.raises(CornerstoneError, match=said):
        apart(work)


def test_a_process_that_cannot_start_tells_nothing_of_the_file(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CornerstoneError, match="before it began"):
        apart(_double, _Unstartable())
    assert capfd.readouterr() == ("", "")


def test_a_process_that_the_system_refuses_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))

    monkeypatch.setattr(BaseProcess, "start", refuse)
    with pytest.raises(CornerstoneError, match=r"not enough memory to start a process .*: .*Cannot allocate memory"):
        apart(_double, 21)
    os.write(2, b"")  # stderr is open again
