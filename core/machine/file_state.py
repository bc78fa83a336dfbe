"""Tell whether a file has changed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Self

_CLOCK_STEP_NS = 2 * 10**9
"""The coarsest step of a file system's clock: two changes within it may carry the same time."""


@dataclass(frozen=True, slots=True)
class FileState:
    """Numbers of the file system that change whenever the content of a file changes.

    ``changed_ns`` (ctime) is set by the system alone. Size and ``modified_ns`` (mtime) can be forged.
    """

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def settled(self, now_ns: int) -> bool:
        """Return whether a change from ``now_ns`` on would show; not for a file that has just changed."""
        return self.changed_ns <= now_ns - _CLOCK_STEP_NS
