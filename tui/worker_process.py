"""Start ``tui.worker``, the program that loads torch. The explorer's and the commands' own processes never do."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import NoReturn

from core.errors import CornerstoneError

# -P: a folder named core in the working directory is not ours.
_PROGRAM = (sys.executable, "-P", "-m", "tui.worker")


def become(*arguments: str) -> NoReturn:
    """Replace this process by the worker, which keeps the terminal and gets the signals.

    Raises:
        CornerstoneError: the program cannot be started.
    """
    _refuse_removed_folder()
    debug = ["--debug"] if "--debug" in sys.argv else []
    try:
        os.execv(sys.executable, [*_PROGRAM, *arguments, *debug])
    except OSError as error:
        if error.errno != errno.E2BIG:
            raise
        size = max(map(len, arguments)) // 1024
        raise CornerstoneError(
            f"this run is described by {size} KiB of text, and a program can be given about 128; split it into several "
            "runs, each with fewer tasks or removed sets"
        ) from error


def _refuse_removed_folder() -> None:
    """Refuse to start where the libraries end the process, because they look for themselves from there."""
    try:
        os.getcwd()
    except OSError as error:
        raise CornerstoneError(
            f"the folder that this program was started in cannot be used ({error.strerror}); change to another one"
        ) from error


def evaluator_command(store: Path) -> list[str]:
    """Return the command that starts the evaluator of a store."""
    return [*_PROGRAM, "serve", str(store)]
