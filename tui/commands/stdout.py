"""Text on stdout, where the reader may have had enough."""

from __future__ import annotations

import os
import sys

import typer


def print_text(text: str) -> None:
    """Write ``text`` as it is; ends the program quietly where nobody reads on, as `head` does not."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError as error:
        # What is left must not fail again when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(1) from error
