"""Stop on SIGTERM, which batch systems and `kill` send, as Ctrl+C does."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# If a signal's handler raises an exception during a query, DuckDB replaces it by one with this text.
_INTERRUPTED_QUERY = "Query interrupted"


class TerminatedError(KeyboardInterrupt):
    """SIGTERM was received. It is handled like Ctrl+C."""


@contextmanager
def terminable() -> Iterator[Callable[[], None]]:
    """Let SIGTERM stop the block as Ctrl+C does.

    Yield a function to call now and then. It stops the block if a signal's exception was lost, as one is that arises
    while Python runs a destructor.
    """
    came: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        if number == signal.SIGTERM:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second must not cut the ending short
        raise _stopped(number)

    def check() -> None:
        if came:
            raise _stopped(came[-1])

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield check
    except RuntimeError as error:
        if str(error) != _INTERRUPTED_QUERY:
            raise
        raise _stopped(came[-1] if came else signal.SIGINT) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stopped(number: int) -> KeyboardInterrupt:
    return TerminatedError() if number == signal.SIGTERM else KeyboardInterrupt()


def exit_code(stop: KeyboardInterrupt) -> int:
    """Return the exit code of a program that was stopped."""
    return 128 + (signal.SIGTERM if isinstance(stop, TerminatedError) else signal.SIGINT)
