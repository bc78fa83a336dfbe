"""The edge of the program: what a user can mend is one sentence on stderr and exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from core.errors import CornerstoneError
from tui.text import plain


@contextmanager
def for_people() -> Iterator[None]:
    """Turn errors that are meant to be read into a sentence, unless ``--debug`` asks for the traceback."""
    try:
        yield
    except CornerstoneError as error:
        if "--debug" in sys.argv:
            raise
        print(f"cornerstone: {plain(str(error))}", file=sys.stderr)
        sys.exit(2)
