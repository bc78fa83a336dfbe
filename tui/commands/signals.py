"""Being stopped from outside: SIGTERM, as a batch system or `kill` sends it, stops as Ctrl+C does."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# What DuckDB makes of an exception that a signal's handler raises in the middle of a query.
_INTERRUPTED_QUERY = "Query interrupted"


class TerminatedError(KeyboardInterrupt):
    """SIGTERM came: what Ctrl+C does is what it asks for."""


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM stops the block as Ctrl+C does."""

    came: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is heeded already, and ending must not be cut short
        raise TerminatedError

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except RuntimeError as error:
        if str(error) != _INTERRUPTED_QUERY:
            raise
        raise (TerminatedError if came else KeyboardInterrupt) from error
    finally:
        signal.signal(signal.SIGTERM, before)


def exit_code(stop: KeyboardInterrupt) -> int:
    """What a program that was stopped exits with."""
    return 128 + (signal.SIGTERM if isinstance(stop, TerminatedError) else signal.SIGINT)
