"""Work in a thread that nobody waits for when the program ends, such as a question to the hub."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Return the result of ``work``, or raise what it raises. The caller may stop waiting for it."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()

    def settle(act: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(lambda: None if result.done() else act())

    def run() -> None:
        try:
            found = work()
        except Exception as error:  # noqa: BLE001 it is raised where the result is awaited
            fault = error
            settle(lambda: result.set_exception(fault))
        else:
            settle(lambda: result.set_result(found))

    threading.Thread(target=run, daemon=True).start()
    return await result
