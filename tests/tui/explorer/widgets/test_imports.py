"""The explorer draws its widgets first, so none of them may import a library that takes seconds."""

from __future__ import annotations

from pathlib import Path

import tui.explorer.widgets
from tests.support.import_rules import HEAVY, loaded_after


def test_importing_every_widget_brings_nothing_heavy() -> None:
    folder = Path(tui.explorer.widgets.__file__).parent
    modules = sorted(f"tui.explorer.widgets.{path.stem}" for path in folder.glob("*.py") if path.stem != "__init__")
    assert len(modules) >= 6
    assert loaded_after(modules, [*HEAVY, "duckdb"]) == {module: [] for module in modules}
