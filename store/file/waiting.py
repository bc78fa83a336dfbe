"""Wait for a store that another program holds, for a limited time, and tell once who holds it."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from core.errors import InUseError, Mend
from core.machine.plain_text import plain
from core.machine.process import command_of, lock_holders
from store.file.holders import having
from store.file.patience import OnWait
from store.file.place import shown

_TOLD_AFTER_S = 2.0
_PAUSE_S = 0.004
_LONGEST_PAUSE = 12
_LONGEST_COMMAND = 60
# DuckDB names the holder in this way.
_HOLDER = re.compile(r"\(PID (\d+)\)")


class Waiting:
    """One wait for a store, however many steps it takes.

    Attributes:
        began_ns: when it began, in nanoseconds by the machine's steady clock.
    """

    def __init__(self, path: Path, patience: float, on_wait: OnWait | None) -> None:
        self._path = path
        self._patience = patience
        self._on_wait = on_wait
        self.began_ns = time.monotonic_ns()

    def again(self, said: str = "", ahead: int = 1) -> None:
        """Pause, before the next attempt to have the store.

        Args:
            said: what DuckDB said of the attempt that failed.
            ahead: how many programs have their turn first.

        Raises:
            InUseError: the time is over.
        """
        waited = (time.monotonic_ns() - self.began_ns) / 1e9
        if waited >= self._patience:
            lasted = f" for {self._patience:.0f} s" if self._patience else ""
            holder, in_turn = self._holder(said)
            mend = Mend.WAIT_FOR_TURN if in_turn else Mend.FREE_STORE
            raise InUseError(f"the store {shown(self._path)} has been in use by {holder}{lasted}", mend)
        if waited >= _TOLD_AFTER_S and self._on_wait is not None:
            self._on_wait(
                f"the store {shown(self._path)} is in use by {self._holder(said)[0]}; waiting for it, "
                f"{self._patience:.0f} s at most"
            )
            self._on_wait = None
        # Programs in turn leave soon. One that takes no turns may stay long, and each attempt at its file costs time.
        pause = _PAUSE_S * (_LONGEST_PAUSE if said else min(ahead, _LONGEST_PAUSE))
        time.sleep(min(pause, self._patience - waited))

    def _holder(self, said: str) -> tuple[str, bool]:
        """Name the programs that hold the store, as far as this can be told, and say whether they take turns.

        Those that take turns, such as the evaluator, hold it for moments, and nobody need close them.
        """
        pids = lock_holders(self._path) or tuple(int(pid) for pid in _HOLDER.findall(said))
        others = [pid for pid in pids if pid != os.getpid()]
        if not others:
            return ("this program" if pids else "another program"), False
        command = command_of(others[0])
        named = f"process {others[0]}" + (f", `{_short(command)}`" if command else "")
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        return f"another program ({named}){more}", set(others) <= set(having(self._path))


def _short(command: str) -> str:
    text = plain(command)
    return text if len(text) <= _LONGEST_COMMAND else f"{text[: _LONGEST_COMMAND - 1]}…"
