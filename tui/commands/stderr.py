"""Print sentences about the work on stderr."""

from __future__ import annotations

import sys
from typing import Final

from tui.drawing.plain import plain, plain_lines

GETTING_READY: Final = "getting ready (about 10 s)"


def narrate(text: str) -> None:
    """Print a sentence on stderr."""
    print(plain(text), file=sys.stderr, flush=True)


def narrate_lines(text: str) -> None:
    """Print several lines on stderr, which stand below each other as they are."""
    print(plain_lines(text), file=sys.stderr, flush=True)
