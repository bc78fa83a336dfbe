"""Count the bytes of a download from the hub, whose library tells them to progress bars. Light to import."""

from __future__ import annotations

import threading
from typing import Any, Final

_BYTES: Final = "Reconstructing"
"""How the description of the bar begins that counts the bytes on the disk; another bar counts those of the network."""


class StoppedError(Exception):
    """A download is not wanted any more."""


class DownloadCount:
    """The bytes that a download has written. ``stop`` ends it from another thread."""

    def __init__(self, done: int = 0) -> None:
        self.done = done
        self._stopped = False
        self._lock = threading.Lock()

    def stop(self) -> None:
        self._stopped = True

    def add(self, count: float | None) -> None:
        """Add bytes.

        Raises:
            StoppedError: the download was stopped.
        """
        if self._stopped:
            raise StoppedError
        with self._lock:
            self.done += int(count or 0)


def bars_of(count: DownloadCount) -> type[Any]:
    """Return a class of progress bars that show nothing; the one of all bytes counts them."""
    from tqdm.std import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *given: Any, **settings: Any) -> None:
            self._counts = str(settings.get("desc", "")).startswith(_BYTES)
            settings.pop("name", None)  # the hub's own bars have one
            super().__init__(*given, **{**settings, "disable": True})

        def update(self, n: float | None = 1) -> bool | None:
            if self._counts:
                count.add(n)
            return None

    return Bar
