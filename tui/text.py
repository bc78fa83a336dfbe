"""Text from outside (models, data, files) made harmless for a terminal."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """``text`` without control characters, so that no escape sequence reaches the terminal."""
    return "".join(" " if unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs"} else char for char in text)
