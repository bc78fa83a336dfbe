from __future__ import annotations

from itertools import pairwise

import pytest
import yaml

from core.machine.yaml_text import load_yaml, what_is_wrong

LETTERS = "bcdefghijklmnopqrstuvwxyz"

TWICE = ["a: 1\nb: 2\na: 3\n", "tasks:\n  - {name: x, name: y}\n", "a: {b: 1, b: 1}\n"]
ONCE = {
    "a: 1\nb: {a: 2}\n": {"a": 1, "b": {"a": 2}},
    "1: a\n'1': b\n": {1: "a", "1": "b"},
    # What is merged may be given anew, here and where it is merged again.
    "a:\n  inner: &base\n    <<: &root {limit: 1}\n    limit: 2\nb:\n  <<: *base\n  limit: 3\n": {
        "a": {"inner": {"limit": 2}},
        "b": {"limit": 3},
    },
}


@pytest.mark.parametrize("text", TWICE)
def test_a_key_given_twice_is_refused(text: str) -> None:
    with pytest.raises(yaml.YAMLError, match="appears twice"):
        load_yaml(text)


@pytest.mark.parametrize("text", ONCE)
def test_a_key_given_once_a_mapping_is_taken(text: str) -> None:
    assert load_yaml(text) == ONCE[text]


# Each would take minutes, gigabytes, or end in an error that is none of YAML's own.
REFUSED = {
    "aliases of aliases": (
        "a: [&a [x, x], &b [*a, *a]" + "".join(f", &{new} [*{old}, *{old}]" for old, new in pairwise(LETTERS)) + "]",
        "aliases written out",
    ),
    "aliases of a long text": ("a: &a " + "x" * 100_000 + "\nb: [*a, *a, *a]", "aliases written out"),
    "aliases in lists in lists": (
        "\n".join(f"k{n}: &a{n} {'[' * 20}{f'*a{n - 1}' if n else 'x'}{']' * 20}" for n in range(9)),
        "nested more than 50 deep",
    ),
    "an alias deep in a mapping": (f"a: &a {'[' * 26}{']' * 26}\nb: {'{c: ' * 24}*a{'}' * 24}", "more than 50 deep"),
    "an alias of itself": ("a: &a [*a]", "holds it"),
    "lists in lists": ("[" * 3000, "nested more than 50 deep"),
    "blocks in blocks": ("\n".join(" " * n + "a:" for n in range(300)), "nested more than 50 deep"),
    "too large": ("a: " + "x" * 300_000, "too large"),
    "no date": ("a: 2020-13-45", "'2020-13-45' is no 'timestamp'"),
    "no whole number": ("a: !!int abc", "'abc' is no 'int'"),
    "no truth value": ("a: !!bool abc", "'abc' is no 'bool'"),
    "many digits": ("a: " + "9" * 5000, "is no 'int'"),
    "many hexadecimal digits": ("a: 0x" + "f" * 5000, "more than 40 digits"),
    "many digits of a version": ("%YAML " + "9" * 5000 + ".1\n---\na: 1", "ValueError"),
    "a tag of Python": ("a: !!python/object/apply:os.system [x]", "could not determine a constructor"),
    "a merge of a number": ("<<: 5", "for merging"),
    "NUL": ('a: "\\0"', "a character that no text has"),
    "a lone surrogate": ('a: "\\uD800"', "a character that no text has"),
    "a raw control character": ("a: \0", "YAML forbids"),
    "no character": ('a: "\\U00110000"', "chr"),
    "two documents": ("a: 1\n---\nb: 2", "found another document"),
    "no UTF-8": (b"a: \xe9", "not UTF-8"),
    "a binary file": (bytes(range(256)), "not UTF-8"),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_is_too_much_or_no_yaml_is_said_in_a_few_words(fault: str) -> None:
    text, reason = REFUSED[fault]
    with pytest.raises(yaml.YAMLError) as error:
        load_yaml(text)
    _, said = what_is_wrong(error.value)
    assert reason in said
    assert len(said) < 300


def test_an_alias_that_is_used_a_few_times_is_taken() -> None:
    assert load_yaml("a: &a [x, y]\nb: [*a, *a]") == {"a": ["x", "y"], "b": [["x", "y"]] * 2}
