from __future__ import annotations

from core.machine.plain_text import is_utf8, short_repr, shortened


def test_a_value_in_an_error_is_never_long() -> None:
    long = ["x" * 10**6]
    for value in (long[0], long * 10**5, 10**6000, -(10**6000), {"a": {"b": {"c": {"d": long}}}}, {10**5000: 1}):
        assert len(short_repr(value)) <= 120


def test_a_usual_value_is_shown_whole() -> None:
    for value in (5, "many", None, [1, 2], {"a": "b"}, 10**30, 0.5):
        assert short_repr(value) == repr(value)


def test_the_middle_of_a_long_sentence_is_left_out() -> None:
    assert shortened("ab" * 5, 10) == "ab" * 5
    short = shortened("a" * 50 + "z" * 50, 30)
    assert (len(short), short[0], short[-1], "..." in short) == (30, "a", "z", True)


def test_a_path_in_another_encoding_is_no_utf8() -> None:
    assert is_utf8("café")
    assert not is_utf8("caf\udce9")
