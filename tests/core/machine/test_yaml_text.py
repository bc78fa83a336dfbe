from __future__ import annotations

import pytest
import yaml

from core.machine.yaml_text import load_yaml

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
