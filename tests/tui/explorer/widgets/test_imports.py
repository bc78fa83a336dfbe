"""The widgets are what the explorer draws first: none of them may pull in what takes seconds to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import tui.explorer.widgets
from tests.core.test_import_hygiene import HEAVY


def test_importing_every_widget_brings_nothing_heavy() -> None:
    folder = Path(tui.explorer.widgets.__file__).parent
    modules = sorted(f"tui.explorer.widgets.{path.stem}" for path in folder.glob("*.py") if path.stem != "__init__")
    assert len(modules) >= 6
    program = f"import sys, {', '.join(modules)}; print(*({{*{HEAVY!r}, 'duckdb'}} & {{*sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
