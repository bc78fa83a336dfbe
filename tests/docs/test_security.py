"""The tests that docs/security.md names are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_is_named_is_there() -> None:
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:core|store|tui)/[\w/.]+)`", text)
    assert len(named) > 15
    assert [name for name in named if not (ROOT / "tests" / name).exists()] == []
