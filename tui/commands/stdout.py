"""Print text and tables on stdout."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tui.drawing.plain import plain_lines

if TYPE_CHECKING:
    from rich.console import Console


def print_text(text: str) -> None:
    """Write ``text`` as it is. ``tui.streams`` says what happens where it cannot be written."""
    sys.stdout.write(text)
    sys.stdout.flush()


def print_data(text: str) -> None:
    """Write text for programs: without control characters on a terminal, else the same UTF-8 as to a file."""
    if on_terminal():
        print_text(plain_lines(text))
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.flush()


def on_terminal() -> bool:
    """Return whether stdout is a terminal, to which no control characters of data may go."""
    return sys.stdout.isatty()


def tables_console() -> Console:
    """Return the console for tables and sentences of results. It is 100 columns wide if stdout is no terminal."""
    from rich.console import Console

    return Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 100)
