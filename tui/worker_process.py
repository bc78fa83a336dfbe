"""Start ``tui.worker``, the program that loads torch. The explorer's and the commands' own processes never do."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

# -P: a folder named core in the working directory is not ours.
_PROGRAM = (sys.executable, "-P", "-m", "tui.worker")


def become(*arguments: str) -> NoReturn:
    """Replace this process by the worker, which keeps the terminal and gets the signals."""
    debug = ["--debug"] if "--debug" in sys.argv else []
    os.execv(sys.executable, [*_PROGRAM, *arguments, *debug])


def evaluator_command(store: Path) -> list[str]:
    """Return the command that starts the evaluator of a store."""
    return [*_PROGRAM, "serve", str(store)]
