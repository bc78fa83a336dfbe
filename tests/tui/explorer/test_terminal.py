"""The real program in a real terminal: from choosing a model to the exported file."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.evaluator import client
from tests.support.programs import PROGRAM
from tests.support.terminal import Terminal


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
def test_from_an_empty_store_to_an_exported_file_and_a_said_sentence(
    terminal: Terminal, store: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    terminal.run(*PROGRAM, "--store", store)
    terminal.until("60 players", "no job")
    terminal.press("m")
    terminal.until("Choose a model and tasks")
    terminal.press(str(tiny_model_folder), *["Tab"] * 5, "C-u", "6", "C-s")
    terminal.until("8 players")
    terminal.press("r")
    terminal.until("Run a schedule", "27 coalitions x 6 documents")
    terminal.press("C-s")
    terminal.until("window-first", "n = 6", "finished")
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
    terminal.press("Escape", "w")
    terminal.until("what the models continue", "without Attn 0")
    terminal.press("The capital of France is", "Enter")
    shown = terminal.until("intact", "without Attn 0", "greedy: always the likeliest token; ")
    assert shown.count("cut after 40 tokens") + shown.count("ended by the model after") == 2, shown


@pytest.mark.slow
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
        again.until("8 players", "n = 120", "finished")
    finally:
        again.kill()
