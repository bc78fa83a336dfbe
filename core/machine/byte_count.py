"""How many bytes of how many are there: told by whoever moves them, and written for people."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Final, TypeVar

Told = Callable[[int, int], None]
"""Takes how many bytes are there, and how many there will be. What it raises ends the work."""

T = TypeVar("T")

_EVERY_S: Final = 0.25
_GIGA: Final = 10**9
_MEGA: Final = 10**6
_KILO: Final = 10**3


def untold(_done: int, _total: int) -> None:
    """Ignore how far it is."""


def in_bytes(count: int) -> str:
    """Return a number of bytes such as ``16.1 GB``, ``93 MB``, ``0.3 MB`` or ``14 kB``."""
    if count >= 0.95 * _GIGA:
        return f"{count / _GIGA:.1f} GB"
    if count >= 0.05 * _MEGA:
        return f"{count / _MEGA:.0f} MB" if count >= 0.95 * _MEGA else f"{count / _MEGA:.1f} MB"
    return f"{count / _KILO:.0f} kB"


def part_in_bytes(done: int, total: int) -> str:
    """Return how many bytes of how many, such as ``4.1 of 16.1 GB``."""
    unit, size = (_GIGA, "GB") if total >= 0.95 * _GIGA else (_MEGA, "MB")
    places = 1 if size == "GB" or total < 0.95 * _MEGA else 0
    return f"{min(done, total) / unit:.{places}f} of {total / unit:.{places}f} {size}"


def watched(work: Callable[[], T], look: Callable[[], None]) -> T:
    """Return the result of work that runs in a thread, while ``look`` is called in this one now and then.

    What ``look`` raises is raised at once. The thread then goes on until it ends, and nobody waits for it.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 it is raised in the other thread
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    while not wait([future], _EVERY_S).done:
        look()
    return future.result()
