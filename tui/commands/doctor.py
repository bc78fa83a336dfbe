"""`cornerstone doctor`: print what is installed, what is missing, and the command that mends it."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import psutil
import typer

from core.config.run_config import DEFAULT_MODEL
from core.errors import CornerstoneError
from core.machine.paths import cache_folder
from core.models.aliases import aliases, cached
from store.results import Results
from tui.commands.options import store_file
from tui.commands.stderr import narrate
from tui.drawing.mends import command_line_text
from tui.drawing.plain import counted

_PACKAGES = ("cornerstone", "torch", "transformers", "accelerate", "lm-eval", "datasets", "duckdb", "textual")
_ASK_TORCH = """
import torch
cuda = torch.cuda.is_available()
print(torch.cuda.get_device_name() if cuda else "mps" if torch.backends.mps.is_available() else "cpu")
"""


def examine(store: Path | None) -> bool:
    """Print one line for each finding; return whether everything that a run needs is there."""
    missing = [name for name in _PACKAGES if not _package(name)]
    _say("python", platform.python_version())
    _say("machine", f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB")
    asked = subprocess.run([sys.executable, "-c", _ASK_TORCH], capture_output=True, text=True, check=False)
    _say("device", asked.stdout.strip() or "torch does not start: make install")
    default = next(alias for alias in aliases() if alias.name == DEFAULT_MODEL)
    there = cached(default)
    _say(
        "default model",
        "cached" if there else f"not cached: cornerstone run --task agreement ({default.download_mb} MB)",
    )
    _say("cache", str(cache_folder()))
    path = store_file(store)
    if path.exists():
        try:
            runs = counted(len(Results(path, on_wait=narrate).runs().rows), "run")
            _say("store", f"{path}, {runs}, {path.stat().st_size / 1e6:.1f} MB")
        except CornerstoneError as error:
            _say("store", command_line_text(error))
            return False
    else:
        _say("store", f"{path} (none yet: cornerstone run makes it)")
    return not missing and asked.returncode == 0


def _package(name: str) -> bool:
    try:
        _say(name, metadata.version(name))
    except metadata.PackageNotFoundError:
        _say(name, "missing: make install")
        return False
    return True


def _say(what: str, found: str) -> None:
    typer.echo(f"{what:<14} {found}")
