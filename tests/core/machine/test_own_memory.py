"""The memory of a process counts mapped files as if they were read."""

from __future__ import annotations

import mmap
from pathlib import Path

import psutil
import pytest

from core.machine.own_memory import own_memory

_SIZE = 512 * 2**20
_NOISE = _SIZE / 4
"""What the rest of the process may take or give back meanwhile."""


@pytest.mark.skipif(not hasattr(psutil.Process, "memory_maps"), reason="this system tells no maps of a process")
def test_a_mapped_file_counts_whether_it_was_read_or_not(tmp_path: Path) -> None:
    file = tmp_path / "whole.weights"
    with file.open("wb") as written:
        written.truncate(_SIZE)
    before = own_memory(".weights")
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        untouched = own_memory(".weights") - before
        assert len(mapped[:: mmap.PAGESIZE]) == _SIZE // mmap.PAGESIZE
        touched = own_memory(".weights") - before
    assert untouched == pytest.approx(_SIZE, abs=_NOISE)
    assert touched == pytest.approx(_SIZE, abs=_NOISE)
