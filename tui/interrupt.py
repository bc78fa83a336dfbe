"""Ctrl+C before and after the part of a program that handles it: one line, and the end. Loads next to nothing."""

from __future__ import annotations

import os
import signal
import sys

INTERRUPTED = 130
"""The exit code of a program that Ctrl+C has stopped."""

BY = {
    signal.SIGINT: "Ctrl+C (SIGINT)",
    signal.SIGTERM: "SIGTERM, which asks a program to end",
    signal.SIGHUP: "SIGHUP, because its terminal was closed",
}
"""What has stopped a program, by the number of the signal."""


def owns_process() -> bool:
    """Return whether this process is ours: a caller who has replaced stdout, as tests do, has plans of its own."""
    return sys.stdout is sys.__stdout__


def stop_at_once() -> None:
    """Let Ctrl+C end the program without a traceback, where nothing has begun or all is done."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)


def stop_in_order() -> None:
    """Let Ctrl+C raise KeyboardInterrupt again."""
    if signal.getsignal(signal.SIGINT) is _stop:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _stop(_number: int, _frame: object) -> None:
    try:
        os.write(2, f"cornerstone: stopped by {BY[signal.SIGINT]}\n".encode())
    finally:
        os._exit(INTERRUPTED)
