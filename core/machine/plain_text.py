"""Text from outside (models, data, files) made harmless for terminals and documents."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """Return ``text`` with each control character replaced by a space, so that no escape sequence is left in it."""
    if text.isprintable():
        return text
    return "".join(" " if unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs"} else char for char in text)
