"""The real program in a real terminal: from choosing a model to the exported file."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.evaluator import client
from tests.support.programs import PROGRAM

PATIENCE_S = 120.0


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


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "s.duckdb"
    yield path
    asyncio.run(client.stop(path))


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    terminal = Terminal(tmp_path, 120, 35)
    yield terminal
    terminal.kill()


@pytest.mark.slow
def test_from_choosing_a_model_to_the_exported_file(
    terminal: Terminal, store: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    terminal.run(*PROGRAM, "--store", store)
    terminal.until("60 players", "no job")
    terminal.press("m")
    terminal.until("Choose a model and tasks")
    terminal.press(str(tiny_model_folder), "Tab", "Tab", "Tab", "Tab", "C-u", "6", "C-s")
    terminal.until("8 players")
    terminal.press("r")
    terminal.until("Run a schedule", "27 coalitions x 6 documents")
    terminal.press("C-s")
    terminal.until("window-first", "n = 6", "no job")
    terminal.press("space")
    terminal.until("R = {Attn 0}", "n = 6", "drop")
    terminal.press("e")
    terminal.until("cornerstone-ablation.csv")
    terminal.press("Enter")
    terminal.until("wrote 8 rows")
    exported = (tmp_path / "cornerstone-ablation.csv").read_text(encoding="utf-8")
    read = [*PROGRAM, "results", "ablation", "--store", str(store), "--format", "csv"]
    printed = subprocess.run([*read, "--task", "agreement"], check=True, capture_output=True, text=True).stdout
    assert exported == printed
    assert exported.count("\n") == 9


def test_what_runs_goes_on_without_the_terminal(terminal: Terminal, store: Path, tiny_model_folder: Path) -> None:
    program = [*PROGRAM, "explore", "--model", tiny_model_folder, "--task", "agreement"]
    terminal.run(*program, "--store", store)
    terminal.until("8 players", "no job")
    terminal.press("r")
    terminal.until("Run a schedule", "27 coalitions")
    terminal.press("C-s")
    terminal.until("% ")
    terminal.kill()
    again = Terminal(store.parent, 80, 24)
    try:
        again.run(*PROGRAM, "--store", store)
        again.until("8 players", "n = 120", "no job")
    finally:
        again.kill()
