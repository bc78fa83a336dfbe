"""The limit on the memory of this process (``ulimit -v``), which explains faults that look like others.

Only the standard library is loaded, because libraries fail to load where the limit is low.
"""

from __future__ import annotations

import resource

from core.errors import CornerstoneError

_LIMITS = (resource.RLIMIT_AS, resource.RLIMIT_DATA)


def memory_limit() -> int | None:
    """Return how many bytes this process may have; None without a limit."""
    found = [soft for soft, _hard in map(resource.getrlimit, _LIMITS) if soft != resource.RLIM_INFINITY]
    return min(found, default=None)


def limit_in_words() -> str:
    """Return the limit as the subject of a sentence, such as "the memory limit of this process (ulimit -v, 0.60 GB)".

    Empty without a limit.
    """
    limit = memory_limit()
    return "" if limit is None else f"the memory limit of this process (ulimit -v, {limit / 1e9:.2f} GB)"


def short_of_memory(for_what: str, cause: str) -> CornerstoneError:
    """Return the error of work for which an allocation failed, with the limit where there is one."""
    limit = limit_in_words()
    why = f"; {limit} may be why" if limit else ""
    return CornerstoneError(f"there is not enough memory {for_what}: {cause}{why}")


def refuse_less(least: float, what: str) -> None:
    """Refuse a limit below ``least`` bytes, with which libraries fail in many ways, or end the process.

    Args:
        least: what is needed.
        what: what needs it, as in "torch".

    Raises:
        CornerstoneError: the limit is lower.
    """
    limit = memory_limit()
    if limit is not None and limit < least:
        raise CornerstoneError(
            f"{limit_in_words()} is too low: {what} alone takes about {least / 1e9:.0f} GB; raise it"
        )
