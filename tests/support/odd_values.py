"""Values that no option and no key takes, and words that name nothing; the same for the same generator."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator

_LETTERS = string.ascii_letters + "àßçéñøλжяあ中한😀"


def no_numbers(rng: random.Random) -> Iterator[tuple[str, str]]:
    """Yield texts that are no usable number for any option, with their names."""
    yield "inf", rng.choice(["inf", "+inf", "Infinity"])
    yield "minus inf", "-inf"
    yield "nan", "nan"
    yield "large", f"{rng.choice(['', '-'])}1{'0' * rng.randint(310, 4000)}"
    yield "of many digits", "9" * rng.randint(4301, 9000)
    yield "a huge power", f"1e{rng.randint(309, 9999)}"
    yield "a word", word(rng, 6)
    yield "a long word", word(rng, 3000)
    yield "empty", "''" if rng.random() < 0.5 else '""'
    yield "two numbers", "1 2"
    yield "hexadecimal", "0xzz"


def no_texts(rng: random.Random) -> Iterator[tuple[str, str]]:
    yield "a mapping", f"{{{word(rng, 4)}: 1}}"
    yield "a list of lists", "[[1], [2, [3]]]"
    yield "a number", str(rng.randint(10, 10**15))
    yield "a date", "2020-01-01"
    yield "a list with null", "[~]"
    yield "a set", "!!set {a, b}"


def word(rng: random.Random, length: int) -> str:
    """Return a word that is no name of anything."""
    return "zq" + "".join(rng.choice(_LETTERS) for _ in range(length - 2))


def big(rng: random.Random) -> int:
    return 10 ** rng.randint(20, 38)
