"""Write a chart of a table by `cornerstone figure`, a program of its own: matplotlib stays out of the explorer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from core.errors import CornerstoneError
from store.tables import tables
from tui.drawing.command_line import store_option
from tui.explorer.browser_tables import options_of
from tui.explorer.scope import Scope

FIGURES: Final[Mapping[str, str]] = MappingProxyType(
    {"ablation": "ablation", "shapley": "shapley", "interactions": "interactions"}
)
"""The figure that shows a table."""

# -P: a folder named tui in the working directory is not ours.
_PROGRAM: Final = (sys.executable, "-P", "-c", "from tui.cli import main; main()")
_PATIENCE_S: Final = 120.0


def write_chart(store: Path, table: str, scope: Scope, path: Path, *, force: bool) -> tuple[str, ...]:
    """Write the chart of a table, and return a sentence for each result that it leaves out.

    Raises:
        CornerstoneError: the table has no chart, there is no matplotlib, nothing is stored for it, or the file cannot
            be written.
    """
    if table not in FIGURES:
        raise CornerstoneError(f"there is no chart of this table; {' and '.join(FIGURES)} have one")
    scope = replace(scope, settings=scope.asked_of(tables()[table]).settings)
    options = options_of(scope, ("model", "task", "value", "settings"))
    words = ["figure", FIGURES[table], "-o", str(path), *options, *store_option(store)]
    try:
        done = subprocess.run(
            [*_PROGRAM, *words, *(["--force"] if force else [])],
            check=False,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_PATIENCE_S,
        )
    except subprocess.TimeoutExpired as error:
        raise CornerstoneError(f"the chart was not drawn within {_PATIENCE_S:.0f} s") from error
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if done.returncode != 0:
        raise CornerstoneError(said[-1].removeprefix("cornerstone: ") if said else "the chart could not be drawn")
    return tuple(line.removeprefix("left out: ") for line in said if line.startswith("left out: "))
