"""Stop on SIGTERM, which batch systems and `kill` send, as Ctrl+C does."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# If a signal's handler raises an exception during a query, DuckDB replaces it by one with this text.
_INTERRUPTED_QUERY = "Query interrupted"


class TerminatedError(KeyboardInterrupt):
    """SIGTERM was received. It is handled like Ctrl+C."""


@contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM stop the block as Ctrl+C does."""
    came: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # one is enough, and a second must not cut the ending short
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
    """Return the exit code of a program that was stopped."""
    return 128 + (signal.SIGTERM if isinstance(stop, TerminatedError) else signal.SIGINT)
