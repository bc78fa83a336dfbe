"""Text for people: made harmless for a terminal, with names told apart, counted and listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from core.machine.plain_text import plain, visible
from core.machine.whole_number import whole

__all__ = ["counted", "or_list", "plain", "plain_lines", "told_apart", "visible"]


def plain_lines(text: str) -> str:
    """Return ``text`` without control characters other than line ends."""
    return "\n".join(map(plain, text.split("\n")))


def told_apart(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return a name for each id of (name, id) pairs: its name, or name@id if several ids share the name."""
    called = {ident: name for name, ident in names}
    sharing = Counter(called.values())
    return {ident: f"{name}@{ident}" if sharing[name] > 1 else name for ident, name in called.items()}


def counted(number: int, what: str) -> str:
    """Return ``1 document``, ``2 documents``."""
    return f"{whole(number)} {what}" if number == 1 else f"{whole(number)} {what}s"


def or_list(names: Iterable[str]) -> str:
    """Return names as a list whose last comma is an "or"."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last
