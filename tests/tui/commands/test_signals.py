"""Stopping from outside: as Ctrl+C does, and also where the exception of a signal was lost."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

import pytest

from tui.commands.signals import TerminatedError, cause_of, exit_code, terminable


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_stops_the_block(number: int, code: int) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt) as stopped, terminable():
        os.kill(os.getpid(), number)
    assert exit_code(stopped.value) == code
    assert signal.Signals(number).name in cause_of(stopped.value)
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_whose_exception_was_lost_stops_the_block_at_the_next_check(number: int) -> None:
    def lose_it() -> None:
        with terminable() as check:
            check()
            with suppress(KeyboardInterrupt):  # as Python passes over what a destructor raises
                os.kill(os.getpid(), number)
            check()

    with pytest.raises(KeyboardInterrupt) as stopped:
        lose_it()
    assert isinstance(stopped.value, TerminatedError) is (number != signal.SIGINT)


def test_a_hangup_that_nohup_switched_off_stays_off() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with terminable() as check:
            os.kill(os.getpid(), signal.SIGHUP)
            check()
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_query_that_a_signal_interrupted_is_a_stop_and_other_faults_are_not() -> None:
    with pytest.raises(KeyboardInterrupt), terminable():
        raise RuntimeError("Query interrupted")
    with pytest.raises(RuntimeError, match="something else"), terminable():
        raise RuntimeError("something else")
