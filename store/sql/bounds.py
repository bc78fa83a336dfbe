"""The bounds of a query: what it may open, and how much time, memory and room it may take."""

from __future__ import annotations

import resource
import signal
from typing import Final

import duckdb

from store.file.connection import SETTINGS
from store.sql.limits import MOST_MEMORY_MB

_MOST_OF_PROCESS: Final = 640 << 20
# DuckDB does not count a text that a function makes, so the process has a limit too: for DuckDB, Python and the rows.

QUERY_SETTINGS: Final = {
    **SETTINGS,
    "memory_limit": f"{MOST_MEMORY_MB}MB",
    "temp_directory": "",
    # A name in a query would find the variables of this program.
    "python_enable_replacements": False,
}
"""DuckDB's settings, before ``lock`` locks them."""


def lock(connection: duckdb.DuckDBPyConnection) -> None:
    """Keep queries from other files, the network and extensions, and from every setting."""
    # In this order: without access to files, DuckDB refuses to be told that it has no folder for temporary ones.
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def bind(seconds: float) -> None:
    """Bound this process: it writes no file, has little memory, and ends when the time is over.

    The signal that ends it has no handler, so that nothing can hold it up; the store is free at once.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for kind, most in (
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_DATA, _MOST_OF_PROCESS),
    ):
        _, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY or most < hard:
            resource.setrlimit(kind, (most, most))
    signal.setitimer(signal.ITIMER_REAL, seconds)


def unbind() -> None:
    """Stop the clock, once the store is closed."""
    signal.setitimer(signal.ITIMER_REAL, 0)
