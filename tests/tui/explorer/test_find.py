"""What is found by typing, and in which order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.explorer.find import Finder

NAMES = ("arc_ar", "arc_easy", "ai2_arc", "search", "hellaswag", "mmlu_formal_logic", "mmlu", "a")


def find(typed: str, names: tuple[str, ...] = NAMES) -> list[str]:
    return Finder(names, str, lambda name: "about cats" if name == "a" else "").matching(typed)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", [*NAMES]),
        ("  ", [*NAMES]),
        ("arc", ["arc_ar", "arc_easy", "ai2_arc", "search"]),
        ("MMLU", ["mmlu", "mmlu_formal_logic"]),
        ("logic mmlu", ["mmlu_formal_logic"]),
        ("cats", ["a"]),
        ("hlsw", ["hellaswag"]),
        ("a cats", ["a"]),
        ("zzz", []),
        ("[red]", []),
        (".*", []),
    ],
)
def test_the_best_comes_first(typed: str, found: list[str]) -> None:
    assert find(typed) == found


def test_of_names_that_match_alike_the_lighter_comes_first() -> None:
    finder = Finder(NAMES, str, lambda _: "", lambda name: 0 if name == "arc_easy" else 1)
    assert finder.matching("arc")[:2] == ["arc_easy", "arc_ar"]


def test_letters_that_come_in_very_many_ways_are_not_tried() -> None:
    assert find("ab" * 12, ("axb" * 40,)) == []
    assert find("ab", ("axb" * 40,)) == ["axb" * 40]


@pytest.mark.slow
@given(typed=st.text(max_size=12), names=st.lists(st.text(min_size=1, max_size=20), max_size=8, unique=True))
def test_any_text_is_looked_for(typed: str, names: list[str]) -> None:
    found = find(typed, tuple(names))
    assert set(found) <= set(names)
    assert [one for one in names if typed.strip() and one == typed.strip()] == [
        one for one in found[:1] if one == typed.strip()
    ]
