"""Stop as Ctrl+C does on SIGTERM, which batch systems and `kill` send, and on SIGHUP, when the terminal goes."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from core.study.recorded_run import INTERRUPTED_QUERY
from tui.interrupt import BY


class TerminatedError(KeyboardInterrupt):
    """SIGTERM or SIGHUP was received. It is handled like Ctrl+C.

    Attributes:
        number: the signal.
    """

    def __init__(self, number: int = signal.SIGTERM) -> None:
        super().__init__()
        self.number = number


@contextmanager
def terminable() -> Iterator[Callable[[], None]]:
    """Let SIGTERM and SIGHUP stop the block as Ctrl+C does. A SIGHUP that `nohup` has switched off stays off.

    Yield a function to call now and then. It stops the block if a signal's exception was lost, as one is that arises
    while Python runs a destructor.
    """
    came: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        came.append(number)
        if number != signal.SIGINT:
            signal.signal(number, signal.SIG_IGN)  # a second must not cut the ending short
        raise _stopped(number)

    def check() -> None:
        if came:
            raise _stopped(came[-1])

    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield check
    except RuntimeError as error:
        if str(error) != INTERRUPTED_QUERY:
            raise
        raise _stopped(came[-1] if came else signal.SIGINT) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stopped(number: int) -> KeyboardInterrupt:
    return KeyboardInterrupt() if number == signal.SIGINT else TerminatedError(number)


def cause_of(stop: KeyboardInterrupt) -> str:
    """Return what has stopped a program, as in "stopped by Ctrl+C (SIGINT)"."""
    return BY[signal.Signals(_number(stop))]


def exit_code(stop: KeyboardInterrupt) -> int:
    """Return the exit code of a program that was stopped."""
    return 128 + _number(stop)


def _number(stop: KeyboardInterrupt) -> int:
    return stop.number if isinstance(stop, TerminatedError) else signal.SIGINT
