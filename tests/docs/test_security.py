"""The tests and modules that docs/security.md names are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROWS = [line.strip("|").split("|") for line in TEXT.splitlines() if line.startswith("| ")]


def named(text: str) -> list[str]:
    return re.findall(r"`((?:core|store|tui)/[\w/.]+)`", text)


def test_every_test_that_is_named_is_there() -> None:
    tests = [name for row in ROWS for name in named(row[-1])]
    assert len(tests) > 15
    assert [name for name in tests if not (ROOT / "tests" / name).exists()] == []


def test_every_module_that_is_named_is_there() -> None:
    modules = [name for row in ROWS for cell in row[:-1] for name in named(cell)]
    assert {"core/engine/own_code.py", "core/models/tokenizer_growth.py"} <= set(modules)
    assert [name for name in modules if not (ROOT / name).exists()] == []
