"""Freed memory that is kept costs its page faults once."""

from __future__ import annotations

import ctypes
import mmap
import subprocess
import sys

import pytest

ROUNDS, BLOCKS, BLOCK = 20, 5, 8 * 2**20
NO_HUGE_PAGES = 41
"""PR_SET_THP_DISABLE of Linux."""

PROGRAM = f"""
import ctypes, resource, sys
from core.machine.allocator import keep_freed_memory
if sys.platform == "linux":
    ctypes.CDLL(None).prctl({NO_HUGE_PAGES}, 1, 0, 0, 0)  # of huge pages too few are needed to tell
if sys.argv[1] == "kept":
    keep_freed_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({ROUNDS}):
    blocks = [b"x" * {BLOCK} for _ in range({BLOCKS})]
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="this C library has no mallopt")
def test_what_was_freed_is_taken_again_without_page_faults() -> None:
    left, kept = (
        int(subprocess.run([sys.executable, "-c", PROGRAM, how], check=True, capture_output=True, text=True).stdout)
        for how in ("left", "kept")
    )
    pages = BLOCKS * BLOCK // mmap.PAGESIZE
    assert kept < 1.2 * pages < left
