"""Wait for a store that another program holds, for a limited time, and tell once who holds it."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from core.errors import InUseError, Mend
from core.machine.plain_text import plain
from core.machine.process import command_of, lock_holders
from store.file.place import shown

PATIENCE_S: Final = 30.0
"""How long a store in use is waited for, where nothing else is asked for."""

OnWait = Callable[[str], None]
"""Hears a sentence when a store has been waited for a while."""

_TOLD_AFTER_S = 2.0
_FIRST_PAUSE_S = 0.002
_LONGEST_PAUSE_S = 0.02
_LONGEST_COMMAND = 60
# DuckDB names the holder in this way.
_HOLDER = re.compile(r"\(PID (\d+)\)")


class Waiting:
    """One wait for a store, however many steps it takes."""

    def __init__(self, path: Path, patience: float, on_wait: OnWait | None) -> None:
        self._path = path
        self._patience = patience
        self._on_wait = on_wait
        self._began = time.monotonic()
        self._pause = _FIRST_PAUSE_S

    def again(self, said: str = "") -> None:
        """Pause, before the next attempt to have the store.

        Args:
            said: what DuckDB said of the attempt that failed.

        Raises:
            InUseError: the time is over.
        """
        waited = time.monotonic() - self._began
        if waited >= self._patience:
            lasted = f" for {self._patience:.0f} s" if self._patience else ""
            raise InUseError(
                f"the store {shown(self._path)} has been in use by {self._holder(said)}{lasted}", Mend.FREE_STORE
            )
        if waited >= _TOLD_AFTER_S and self._on_wait is not None:
            self._on_wait(
                f"the store {shown(self._path)} is in use by {self._holder(said)}; waiting for it, "
                f"{self._patience:.0f} s at most"
            )
            self._on_wait = None
        # Pauses differ, so that none of several waiting programs is always the last.
        time.sleep(min(random.uniform(self._pause / 2, self._pause), self._patience - waited))
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_S)

    def _holder(self, said: str) -> str:
        """Name the programs that hold the store, as far as this can be told."""
        pids = lock_holders(self._path) or tuple(int(pid) for pid in _HOLDER.findall(said))
        others = [pid for pid in pids if pid != os.getpid()]
        if not others:
            return "this program" if pids else "another program"
        command = command_of(others[0])
        named = f"process {others[0]}" + (f", `{_short(command)}`" if command else "")
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        return f"another program ({named}){more}"


def _short(command: str) -> str:
    text = plain(command)
    return text if len(text) <= _LONGEST_COMMAND else f"{text[: _LONGEST_COMMAND - 1]}…"
