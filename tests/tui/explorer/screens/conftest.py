from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.rows import GroupRow
from tests.support.open_store import open_for_reading
from tests.support.screen_host import fill

HOLD = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, GroupRow]]:
    """A store that is only read."""
    path = tmp_path_factory.mktemp("full") / "results.duckdb"
    group = fill(path)
    with open_for_reading(path):
        yield path, group


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[str]]]:
    """A store that another process has open for writing, until it is ended."""
    path = tmp_path / "held.duckdb"
    fill(path)
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        yield path, holder
        holder.kill()
