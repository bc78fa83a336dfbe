"""What a terminal can show, as far as its environment says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui.settings import Characters

_LETTERS_ONLY: Final = ("dumb", "vt52", "vt100", "vt102", "vt220", "ansi", "xterm-mono")
_UTF8: Final = ("utf-8", "utf8")


def only_ascii(characters: Characters, environment: Mapping[str, str]) -> bool:
    """Return whether to draw with ASCII alone.

    A locale that names another encoding than UTF-8 means that the terminal has no other characters. Without any locale,
    as in many containers, the terminal outside is nevertheless a modern one.
    """
    if characters != "auto":
        return characters == "ascii"
    if environment.get("TERM", "") in _LETTERS_ONLY:
        return True
    locale = next((environment[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(name)), "")
    return bool(locale) and not any(name in locale.lower() for name in _UTF8)
