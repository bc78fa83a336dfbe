"""Keep the tracebacks of faults that nobody foresaw, in files of the user's state folder, and word them for people.

Only the standard library is loaded, as a broken installation is such a fault too. A log has no values of variables and
nothing of the environment, which may hold secrets.
"""

from __future__ import annotations

import os
import platform
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Final

from core.machine.memory_limit import limit_in_words

KEPT: Final = 20
"""How many logs are kept; the oldest are removed."""

_MOST_BYTES = 2**18
_MOST_SAID = 300
# How the loader of libraries, the system and DuckDB say it.
_NO_MEMORY: Final = ("failed to map segment", "annot allocate memory", "Out of Memory", "can't start new thread")


def fault_sentence(error: BaseException, instead: str = "the steps that lead to it") -> str:
    """Log an unforeseen error; return a sentence that says what happened, where its log is, and how to report it.

    Args:
        error: the error.
        instead: what to report where no log can be written.
    """
    what = in_words(error)
    try:
        where = str(log_fault(error))
    except (OSError, MemoryError, RecursionError, ValueError) as failure:
        reason = getattr(failure, "strerror", None) or type(failure).__name__
        return f"{what}; its log cannot be written ({reason}), so please report it with {instead}"
    return f"{what}; the traceback is in {where}, please report it with that file"


def in_words(error: BaseException) -> str:
    """Return the type and the first line of an error as a clause."""
    if (limit := limit_in_words()) and _may_lack_memory(error):
        return f"{limit} leaves too little for this ({type(error).__name__}); raise it"
    if isinstance(error, MemoryError):
        return "there is not enough memory for this (MemoryError)"
    kind = type(error).__name__
    try:
        lines = str(error).strip().splitlines()
    except Exception:  # noqa: BLE001 - an error may be unable to say what it is
        lines = []
    first = "".join(char if char.isprintable() else " " for char in lines[0][:_MOST_SAID]) if lines else ""
    module = isinstance(error, ImportError)
    said = f"{kind}: {first}" if first else kind
    return f"the installation is broken ({said})" if module else f"a fault of the program itself ({said})"


def _may_lack_memory(error: BaseException) -> bool:
    """Return whether an error is of a kind that a low limit on memory brings about."""
    said = str(error)
    return isinstance(error, MemoryError | SystemError) or any(sign in said for sign in _NO_MEMORY)


def log_fault(error: BaseException) -> Path:
    """Write the traceback of an error to a new file that only the user can read; return its path.

    Raises:
        OSError: it cannot be written.
    """
    with suppress(RuntimeError):
        traceback.clear_frames(error.__traceback__)  # it frees memory, which may have run out
    text = "".join(traceback.format_exception(type(error), error, error.__traceback__, limit=-100))
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    seconds, rest = divmod(time.time_ns(), 10**9)
    moment = f"{time.strftime('%Y%m%d-%H%M%S', time.localtime(seconds))}-{rest:09}"  # names sort by age
    path = folder / f"fault-{moment}-{os.getpid()}.log"
    content = f"{_header()}\n{text}".encode(errors="backslashreplace")[:_MOST_BYTES]
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(content)
    _remove_oldest(folder)
    return path


def _header() -> str:
    versions = f"Python {platform.python_version()}, {platform.platform()}"
    return f"{time.strftime('%Y-%m-%d %H:%M:%S %z')}\n{versions}\n{' '.join(map(ascii, sys.argv))[:2000]}\n"


def _folder() -> Path:
    """Return the folder of the logs (``XDG_STATE_HOME`` applies)."""
    try:
        import platformdirs

        state = platformdirs.user_state_dir("cornerstone", appauthor=False)
    except ImportError:
        state = os.path.expanduser("~/.local/state/cornerstone")
    return Path(state) / "faults"


def _remove_oldest(folder: Path) -> None:
    with suppress(OSError):
        for old in sorted(folder.glob("fault-*.log"))[:-KEPT]:
            old.unlink(missing_ok=True)
