"""Text from outside (models, data, files) made harmless for terminals and documents."""

from __future__ import annotations

import reprlib
import unicodedata
from typing import Final

MOST_SHOWN: Final = 4000
"""The most characters of a sentence for people. Only a text from outside can make one so long."""

_UNSEEN: Final = frozenset({"Cc", "Cf", "Co", "Cs"})
_FIRST_SIGN: Final = 0x2400


def plain(text: str) -> str:
    """Return ``text`` with each control character replaced by a space, so that no escape sequence is left in it."""
    if text.isprintable():
        return text
    return "".join(" " if unicodedata.category(char) in _UNSEEN else char for char in text)


def visible(text: str) -> str:
    """Return ``text`` with a sign for each control character, such as ␛, so that readers see that it is there.

    Line ends stay. A character without a sign is written as its number, such as <U+202E>.
    """
    if text.isprintable():
        return text
    return "".join(char if char == "\n" or char.isprintable() else _sign_of(char) for char in text)


def _sign_of(char: str) -> str:
    if char == "\t":
        return "    "
    if char < " ":
        return chr(_FIRST_SIGN + ord(char))
    if char == "\x7f":
        return "␡"
    return f"<U+{ord(char):04X}>" if unicodedata.category(char) in _UNSEEN else char


def is_utf8(text: str) -> bool:
    """Return whether a text can be written as UTF-8. A path that is not has lone surrogates in place of its bytes."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def shortened(text: str, most: int = MOST_SHOWN) -> str:
    """Return ``text``, without its middle if it has more than ``most`` characters."""
    if len(text) <= most:
        return text
    end = most // 3
    return f"{text[: most - end - 3]}...{text[-end:]}"


def short_repr(value: object) -> str:
    """Return a value as an error shows it: as ``repr`` does, but never longer than about 100 characters."""
    return shortened(_SHORT.repr(value), 120)


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxstring = self.maxother = 80
        self.maxdict = self.maxlist = self.maxtuple = self.maxset = 4

    def repr_int(self, x: int, level: int) -> str:
        del level
        # Python refuses to write more than some thousand digits.
        return repr(x) if abs(x) < 10**40 else f"a number of {x.bit_length() * 30103 // 100000 + 1} digits or so"

    def repr_float(self, x: float, level: int) -> str:
        del level
        # An option's number is a float also where a person wrote a whole one.
        return repr(int(x)) if x.is_integer() and abs(x) < _EXACT else repr(x)


_EXACT = 2.0**53
_SHORT = _Short()
