"""Files of the user's state: whole or as before, and for their owner alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.machine.private_file import write_private


@pytest.fixture(autouse=True)
def _open_to_all() -> Iterator[None]:
    """Make files that others may read and write, unless the program says otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("flush", [False, True])
def test_only_its_owner_reads_it(tmp_path: Path, flush: bool) -> None:
    path = tmp_path / "state" / "session.json"
    write_private(path, b"a prompt", flush=flush)
    assert path.read_bytes() == b"a prompt"
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


def test_a_file_of_an_earlier_version_is_closed_by_the_next_writing(tmp_path: Path) -> None:
    path = tmp_path / "session.json"
    path.write_bytes(b"before")
    assert mode(path) == 0o666
    write_private(path, b"now")
    assert (path.read_bytes(), mode(path)) == (b"now", 0o600)


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "jobs.json"
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        write_private(path, b"x")
    assert list(tmp_path.iterdir()) == [path]
