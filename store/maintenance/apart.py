"""Do work in a process of its own, because DuckDB may end the process that reads a damaged file."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

import duckdb

from core.errors import CornerstoneError
from core.machine.memory_limit import limit_in_words, short_of_memory
from store.file.cause import cause_of
from store.file.patience import OnWait
from store.file.waiting import Waiting

_BY_A_FAULT: Final = ("SIGSEGV", "SIGBUS", "SIGABRT", "SIGFPE", "SIGILL", "SIGTRAP")
"""Signals by which a fault of its own ends a process; others come from outside."""

Tell = Callable[[object], None]
"""Sends a message to the process that waits for the work."""


@dataclass(frozen=True, slots=True)
class Waits:
    """The message that a store is in use, and by whom."""

    said: str


def wait_for(path: Path, patience: float, tell: Tell) -> Waiting:
    """Return a wait for a store whose sentence goes to the process that waits for the work."""
    return Waiting(path, patience, lambda said: tell(Waits(said)))


class CrashError(Exception):
    """Work in another process has ended without a result. The message says why."""


def apart(work: Callable[..., Any], *arguments: object, told: Tell | None = None, on_wait: OnWait | None = None) -> Any:
    """Call ``work(tell, *arguments)`` in another process and return its result.

    Args:
        work: a function of a module, which gets ``tell`` to send messages while it works.
        arguments: what can be pickled.
        told: is given each message that is no ``Waits``.
        on_wait: hears the sentence of each ``Waits``.

    Raises:
        Exception: ``work`` raised it.
        CornerstoneError: the process cannot start, was ended from outside, or has ended where its memory is limited.
            Then nothing is known.
        CrashError: the process ended before ``work`` returned, or DuckDB failed on what it read or wrote.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(theirs, work, arguments), daemon=True)
    _start(process)
    theirs.close()
    begun = False
    try:
        while True:
            kind, content = ours.recv()
            begun = True
            if isinstance(content, Waits):
                if on_wait is not None:
                    on_wait(content.said)
            elif kind == "begun":
                continue
            elif kind == "message":
                if told is not None:
                    told(content)
            elif kind == "result":
                return content
            elif kind == "raised":
                raise content
            else:
                raise CrashError(content)
    except EOFError:
        process.join()
        raise _ended(process.exitcode, begun=begun) from None
    finally:
        ours.close()
        process.join()


def _start(process: BaseProcess) -> None:
    """Start a process, whose stderr is closed: Python tells there why it cannot begin, and DuckDB why it ends.

    Raises:
        CornerstoneError: it cannot be started.
    """
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 2)
        process.start()
    except (OSError, MemoryError) as error:
        raise short_of_memory("to start a process that reads the store", str(error)) from error
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _serve(pipe: Connection, work: Callable[..., Any], arguments: tuple[object, ...]) -> None:
    pipe.send(("begun", None))
    try:
        pipe.send(("result", work(lambda message: pipe.send(("message", message)), *arguments)))
    except KeyboardInterrupt:
        pipe.send(("raised", CornerstoneError("the process that reads the store was stopped")))
    except (duckdb.OutOfMemoryException, MemoryError) as error:
        pipe.send(("raised", short_of_memory("for this", cause_of(error))))
    except duckdb.ProgrammingError as error:
        pipe.send(("raised", RuntimeError(str(error))))
    except (duckdb.Error, UnicodeDecodeError) as error:
        pipe.send(("failed", cause_of(error)))
    except Exception as error:  # noqa: BLE001 - it is raised where the work was asked for
        pipe.send(("raised", error))


def _ended(code: int | None, *, begun: bool) -> Exception:
    """Return the error of a process that has ended without a result."""
    limit = limit_in_words()
    if limit:
        return CornerstoneError(f"{_end_of(code)}, and {limit} may be why; raise it")
    if not begun:
        return CornerstoneError(f"{_end_of(code)} before it began")
    if code is not None and code < 0 and _signal_name(-code) not in _BY_A_FAULT:
        return CornerstoneError(f"{_end_of(code)}, perhaps for want of memory; nothing is known of the store")
    return CrashError(_end_of(code))


def _end_of(code: int | None) -> str:
    if code is not None and code < 0:
        return f"the process that read it ended by {_signal_name(-code)}"
    return "the process that read it ended"


def _signal_name(number: int) -> str:
    """Return the name of a signal; those between the first and the last real-time signal have none."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
