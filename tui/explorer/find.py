"""Find by typing: what contains all that was typed comes first, then what has its letters in their order."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from textual.fuzzy import FuzzySearch

T = TypeVar("T")

_ENOUGH: Final = 20
"""With so many that contain what was typed, the letters alone are not looked for."""
_MOST_WAYS: Final = 2_000
"""In so many ways may letters be found in a name. Textual tries each, and their number grows with every letter."""
_SHORTEST: Final = 2
_EXACT, _BEGINS, _BEGINS_A_WORD, _IN_NAME, _IN_TEXT, _LETTERS = range(6)


@dataclass(frozen=True, slots=True)
class _Entry(Generic[T]):
    value: T
    name: str
    text: str
    weight: int


class Finder(Generic[T]):
    """Things that have a name and a text about them."""

    def __init__(
        self,
        values: Sequence[T],
        name: Callable[[T], str],
        about: Callable[[T], str],
        weight: Callable[[T], int] = lambda _: 0,
    ) -> None:
        """Prepare to find things.

        Args:
            values: the things, in the order in which they are listed while nothing is typed.
            name: returns the name of one.
            about: returns more text of one.
            weight: of things that match alike those with the smallest come first.
        """
        self._entries = [
            _Entry(one, name(one).lower(), f"{name(one)} {about(one)}".lower(), weight(one)) for one in values
        ]

    def matching(self, typed: str) -> list[T]:
        """Return the things that match a text, the best first; all if it is empty."""
        words = typed.lower().split()
        if not words:
            return [entry.value for entry in self._entries]
        found = [(tier, 0.0, entry) for entry in self._entries if (tier := _tier(words, entry)) is not None]
        if len(found) < _ENOUGH and len(words) == 1 and len(words[0]) >= _SHORTEST:
            found += self._by_letters(words[0])
        found.sort(key=lambda one: (one[0], one[1], one[2].weight, len(one[2].name), one[2].name))
        return [entry.value for _, _, entry in found]

    def _by_letters(self, word: str) -> list[tuple[int, float, _Entry[T]]]:
        search, in_order = FuzzySearch(), re.compile(".*?".join(map(re.escape, word)))
        return [
            (_LETTERS, -search.match(word, entry.name)[0], entry)
            for entry in self._entries
            if word not in entry.text and in_order.search(entry.name) and _ways(word, entry.name) <= _MOST_WAYS
        ]


def _tier(words: list[str], entry: _Entry[T]) -> int | None:
    """Return how well an entry matches, the smaller the better; None if it lacks a word."""
    name = entry.name
    if name == " ".join(words):
        return _EXACT
    if all(word in name for word in words):
        at = name.find(words[0])
        return _BEGINS if at == 0 else _IN_NAME if name[at - 1].isalnum() else _BEGINS_A_WORD
    return _IN_TEXT if all(word in entry.text for word in words) else None


def _ways(word: str, name: str) -> int:
    """Return a bound on the number of ways to find the letters of a word in a name."""
    return math.prod(name.count(letter) for letter in word)
