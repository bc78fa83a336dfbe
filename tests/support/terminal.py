"""A real terminal, by tmux: keys go in, and the screen's text comes out."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

PATIENCE_S = 240.0
"""A guard against hanging: a machine that is busy with other work takes minutes to load the libraries."""


class Terminal:
    """A tmux server of its own, its socket in ``folder`` under a name that no other has."""

    def __init__(self, folder: Path, columns: int, rows: int) -> None:
        self._tmux = ["tmux", "-S", str(folder / f"tmux-{columns}"), "-f", "/dev/null"]
        environment = {**os.environ, "TERM": "xterm-256color"}
        subprocess.run(
            [*self._tmux, "new-session", "-d", "-x", str(columns), "-y", str(rows), "-c", str(folder), "sh"],
            check=True,
            env=environment,
        )

    def run(self, *command: str | Path) -> None:
        self.press(subprocess.list2cmdline([str(part) for part in command]), "Enter")

    def press(self, *keys: str) -> None:
        """One key after the other at a person's pace: what moves the focus must have moved it before the next."""
        for key in keys:
            subprocess.run([*self._tmux, "send-keys", key], check=True)
            time.sleep(0.3)

    def text(self) -> str:
        return subprocess.run([*self._tmux, "capture-pane", "-p"], check=True, capture_output=True, text=True).stdout

    def until(self, *words: str) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while not all(word in (text := self.text()) for word in words):
            assert time.monotonic() < deadline, f"{words} did not come:\n{text}"
            time.sleep(0.1)
        return text

    def kill(self) -> None:
        subprocess.run([*self._tmux, "kill-server"], check=False)
