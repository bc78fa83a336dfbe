"""A fixture that all tests of the store share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the file of a store that is not there yet."""
    return tmp_path / "results.duckdb"
