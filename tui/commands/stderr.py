"""Print sentences about the work on stderr."""

from __future__ import annotations

import sys
from typing import Final

from tui.drawing.plain import plain

GETTING_READY: Final = "getting ready (about 10 s)"


def narrate(text: str) -> None:
    """Print a sentence on stderr."""
    print(plain(text), file=sys.stderr, flush=True)
