"""Text from outside (models, data, files) made harmless for a terminal."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable


def plain(text: str) -> str:
    """``text`` without control characters, so that no escape sequence reaches the terminal."""
    if text.isprintable():
        return text
    return "".join(" " if unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs"} else char for char in text)


def plain_lines(text: str) -> str:
    """``text`` made ``plain`` but for its ends of lines."""
    return "\n".join(map(plain, text.split("\n")))


def told_apart(names: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What to call each id of (name, id) pairs: its name, or name@id where several share the name."""
    called = {ident: name for name, ident in names}
    sharing = Counter(called.values())
    return {ident: f"{name}@{ident}" if sharing[name] > 1 else name for ident, name in called.items()}


def counted(number: int, what: str) -> str:
    """``1 document``, ``2 documents``."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
