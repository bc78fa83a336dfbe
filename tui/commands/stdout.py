"""Print text on stdout, whose reader may close it early."""

from __future__ import annotations

import os
import sys

import typer


def print_text(text: str) -> None:
    """Write ``text`` as it is. End the program quietly if the reader is gone, as after `| head`."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError as error:
        # The rest of the buffer must not fail again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from error
