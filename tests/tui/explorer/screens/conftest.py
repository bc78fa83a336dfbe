from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from store.rows import GroupRow
from tests.support import store_holder
from tests.support.open_store import open_for_reading
from tests.support.screen_host import fill


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, GroupRow]]:
    """A store that is only read."""
    path = tmp_path_factory.mktemp("full") / "results.duckdb"
    group = fill(path)
    with open_for_reading(path):
        yield path, group


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[Path, Callable[[], None]]]:
    """A store that another process has open for writing, and a call that ends this process."""
    path = tmp_path / "held.duckdb"
    fill(path)
    with ExitStack() as holding:
        holding.enter_context(store_holder.held(path))
        yield path, holding.close
