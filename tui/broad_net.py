"""The broad net below all programs: whatever goes through ends in one sentence, and its traceback in a log.

It is loaded before anything else, so that a broken installation and Ctrl+C during imports end in it too.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Final, NoReturn

from core.machine.fault_log import fault_sentence, log_fault
from tui.interrupt import BY, INTERRUPTED, stop_at_once, stop_in_order
from tui.streams import safe_streams, tell

DEBUG: Final = "--debug"
"""The option that shows tracebacks."""

_LARGEST_TERMINAL = 1000


@contextmanager
def broad_net(*, whole_process: bool) -> Iterator[None]:
    """Run a whole program: an error that nobody foresaw becomes a sentence on stderr, and exit code 1.

    Args:
        whole_process: streams, signals and hooks of the process are ours to replace.
    """
    debug = DEBUG in sys.argv
    if whole_process:
        safe_streams()
        _forget_odd_sizes()
        if not debug:
            _hook()
        stop_in_order()
    try:
        try:
            yield
        finally:
            sys.stdout.flush()  # at exit, Python would print a traceback for what cannot be written
    except KeyboardInterrupt:
        if debug:
            raise
        _end(f"stopped by {BY[signal.SIGINT]}", INTERRUPTED)
    except Exception as error:
        if debug:
            raise
        _end_with(error)
    finally:
        if whole_process:
            stop_at_once()


def _end_with(error: BaseException) -> NoReturn:
    from core.errors import CornerstoneError

    if isinstance(error, CornerstoneError):  # as of an output that cannot be written at the very end
        _end(str(error), 2)
    _end(fault_sentence(error, f"what {DEBUG} shows"), 1)


def _end(sentence: str, code: int) -> NoReturn:
    tell(f"cornerstone: {sentence}")
    sys.exit(code)


def _hook() -> None:
    """Send the errors of threads, destructors and event loops, which no ``except`` sees, the same way."""
    sys.excepthook = _on_error
    threading.excepthook = lambda event: _on_error(event.exc_type, event.exc_value, event.exc_traceback)
    sys.unraisablehook = _on_unraisable
    logging.lastResort = _LastResort(logging.WARNING)
    if not sys.warnoptions:
        warnings.simplefilter("ignore")


def _on_error(kind: type[BaseException], error: BaseException | None, _traceback: TracebackType | None) -> None:
    if error is not None and not issubclass(kind, KeyboardInterrupt | SystemExit):
        tell(f"cornerstone: {fault_sentence(error)}")


def _on_unraisable(unraisable: Any) -> None:
    """Log an error in a destructor. It changes nothing for people, so nobody is told."""
    if unraisable.exc_value is not None:
        with suppress(OSError, MemoryError, RecursionError, ValueError):
            log_fault(unraisable.exc_value)


class _LastResort(logging.Handler):
    """Prints the warnings of libraries that nobody else handles as a line, and logs their tracebacks."""

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        tell(f"cornerstone: {fault_sentence(error)}" if error is not None else record.getMessage())


def _forget_odd_sizes() -> None:
    """Forget sizes of a terminal that no terminal has: libraries read them, and draw that wide."""
    for name in ("COLUMNS", "LINES"):
        text = os.environ.get(name)
        if text is not None and not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= _LARGEST_TERMINAL):
            del os.environ[name]
