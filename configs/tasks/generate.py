"""Write the data of the shipped tasks: ``python -m configs.tasks.generate``. The files are always the same.

Every answer is right for equally many documents, and wrong for equally many. So knowing which answers are frequent does
not help without reading the question. The positions of right answers are balanced too.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path

CHOICES = 4

COUNTRIES = {
    "France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Germany": "Berlin", "England": "London",
    "Japan": "Tokyo", "China": "Beijing", "Russia": "Moscow", "Egypt": "Cairo", "Greece": "Athens",
    "Portugal": "Lisbon", "Austria": "Vienna", "Poland": "Warsaw", "Sweden": "Stockholm", "Norway": "Oslo",
    "Denmark": "Copenhagen", "Finland": "Helsinki", "Ireland": "Dublin", "Belgium": "Brussels", "Hungary": "Budapest",
    "Turkey": "Ankara", "Iran": "Tehran", "Iraq": "Baghdad", "India": "New Delhi", "Thailand": "Bangkok",
    "Vietnam": "Hanoi", "Cuba": "Havana", "Canada": "Ottawa", "Peru": "Lima", "Chile": "Santiago",
    "Argentina": "Buenos Aires", "Kenya": "Nairobi", "Nigeria": "Abuja", "Ghana": "Accra", "Syria": "Damascus",
    "Lebanon": "Beirut", "Jordan": "Amman", "Pakistan": "Islamabad", "Nepal": "Kathmandu", "Bangladesh": "Dhaka",
    "Ukraine": "Kyiv", "Romania": "Bucharest", "Bulgaria": "Sofia", "Serbia": "Belgrade", "Croatia": "Zagreb",
    "Australia": "Canberra", "Indonesia": "Jakarta", "Malaysia": "Kuala Lumpur", "Cambodia": "Phnom Penh",
    "Afghanistan": "Kabul", "Ethiopia": "Addis Ababa", "Morocco": "Rabat", "Libya": "Tripoli", "Iceland": "Reykjavik",
    "Venezuela": "Caracas", "Colombia": "Bogota", "Jamaica": "Kingston", "Scotland": "Edinburgh", "Taiwan": "Taipei",
    "the Philippines": "Manila",
}  # fmt: skip

CATEGORIES = {
    "fruit": "apple banana pear peach mango lemon plum cherry grape apricot",
    "bird": "robin eagle sparrow pigeon crow hawk parrot penguin seagull falcon",
    "fish": "salmon trout tuna cod shark herring sardine carp halibut haddock",
    "tool": "hammer screwdriver wrench saw chisel shovel rake pliers drill axe",
    "metal": "iron copper gold silver tin lead zinc aluminum nickel titanium",
    "drink": "coffee tea lemonade wine beer milk juice cocoa cider whiskey",
    "vegetable": "carrot potato cabbage spinach broccoli onion lettuce celery cauliflower turnip",
    "tree": "oak pine maple birch willow cedar elm beech fir spruce",
    "insect": "ant bee wasp beetle mosquito butterfly moth grasshopper cricket fly",
    "flower": "rose tulip daisy lily orchid daffodil sunflower violet carnation dandelion",
    "vehicle": "car truck bus bicycle motorcycle van tractor taxi scooter train",
    "disease": "malaria cholera measles influenza tuberculosis pneumonia smallpox diabetes polio asthma",
}

OPPOSITES = """hot-cold big-small fast-slow high-low good-bad light-dark hard-soft wet-dry new-old rich-poor
strong-weak happy-sad early-late open-closed full-empty up-down left-right inside-outside above-below before-after
front-back near-far day-night black-white love-hate war-peace life-death win-lose buy-sell start-finish
push-pull give-take true-false correct-wrong male-female king-queen north-south east-west summer-winter thick-thin
wide-narrow deep-shallow heavy-lightweight clean-dirty safe-dangerous easy-difficult cheap-expensive loud-quiet
smooth-rough sharp-dull young-elderly alive-dead asleep-awake brave-cowardly polite-rude guilty-innocent
positive-negative maximum-minimum increase-decrease friend-enemy"""

SUBJECTS = "key dog car book friend tree house door picture window letter shoe bottle child teacher"
PHRASES = ("near the", "next to the", "behind the", "with the")
IRREGULAR = {"child": "children"}


@dataclass(frozen=True, slots=True)
class Question:
    """One document. ``gold`` is the index of the right answer in ``choices``."""

    text: str
    choices: tuple[str, ...]
    gold: int


def agreement() -> Iterator[Question]:
    """Ask for "is" or "are" after a subject and a noun of the other number."""
    nouns = SUBJECTS.split()
    for index, (noun, phrase) in enumerate((noun, phrase) for phrase in PHRASES for noun in nouns):
        other = nouns[(index + 4) % len(nouns)]
        for many in (False, True):
            subject, distractor = (_plural(noun), other) if many else (noun, _plural(other))
            choices = ("is", "are") if index % 2 else ("are", "is")
            yield Question(f"The {subject} {phrase} {distractor}", choices, choices.index("are" if many else "is"))


def capitals() -> Iterator[Question]:
    """Ask for the capital of a country, and for the country of a capital."""
    yield from _with_rotated_choices([(f"The capital of {land} is", city) for land, city in COUNTRIES.items()], seed=1)
    yield from _with_rotated_choices([(f"{city} is the capital of", land) for land, city in COUNTRIES.items()], seed=2)


def categories() -> Iterator[Question]:
    """Ask what kind of thing a word names.

    Neighbours in the list are of different kinds, so that the choices of a question differ.
    """
    by_kind = [[(f"{_article(word)} {word} is a type of", kind) for word in words.split()]
               for kind, words in CATEGORIES.items()]  # fmt: skip
    yield from _rotate([item for round_ in zip_longest(*by_kind) for item in round_ if item])


def opposites() -> Iterator[Question]:
    """Ask for the opposite of a word, in both directions.

    Each direction is shuffled by itself, so that a word is never a choice of its own question.
    """
    pairs = [pair.split("-") for pair in OPPOSITES.split()]
    yield from _with_rotated_choices([(_opposite(one), other) for one, other in pairs], seed=3)
    yield from _with_rotated_choices([(_opposite(other), one) for one, other in pairs], seed=4)


def _opposite(word: str) -> str:
    return f"The opposite of {word} is"


def _with_rotated_choices(items: Sequence[tuple[str, str]], seed: int) -> Iterator[Question]:
    shuffled = list(items)
    random.Random(seed).shuffle(shuffled)
    return _rotate(shuffled)


def _rotate(items: Sequence[tuple[str, str]]) -> Iterator[Question]:
    """Yield questions whose wrong choices are the answers of the next ones.

    So every answer is used equally often.
    """
    for index, (text, answer) in enumerate(items):
        wrong = [items[(index + step) % len(items)][1] for step in range(1, CHOICES)]
        gold = index % CHOICES
        yield Question(text, (*wrong[:gold], answer, *wrong[gold:]), gold)


def _plural(noun: str) -> str:
    return IRREGULAR.get(noun, f"{noun}s")


def _article(word: str) -> str:
    return "An" if word[0] in "aeiou" else "A"


def lines(questions: Iterable[Question]) -> str:
    """Return the questions as JSON lines."""
    return "".join(json.dumps(asdict(question)) + "\n" for question in questions)


TASKS = {"agreement": agreement, "capitals": capitals, "categories": categories, "opposites": opposites}


def main() -> None:
    """Write the data of every task beside this file."""
    for name, questions in TASKS.items():
        (Path(__file__).parent / f"{name}.jsonl").write_text(lines(questions()), encoding="utf-8")


if __name__ == "__main__":
    main()
