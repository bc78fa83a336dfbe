"""The other program: what needs torch is done by ``tui.worker``, never by the explorer's or a command's process."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

# -P: a folder named core in the working directory is not ours.
_PROGRAM = (sys.executable, "-P", "-m", "tui.worker")


def become(*arguments: str) -> NoReturn:
    """Let it take this process's place, terminal and signals included."""
    debug = ["--debug"] if "--debug" in sys.argv else []
    os.execv(sys.executable, [*_PROGRAM, *arguments, *debug])


def evaluator_command(store: Path) -> list[str]:
    """Starts the evaluator of a store."""
    return [*_PROGRAM, "serve", str(store)]
