"""YAML as people write it: read safely, and refused where a mapping has a key twice."""

from __future__ import annotations

from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """PyYAML takes the last of several without a word."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._checked: set[int] = set()

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Check a mapping before ``<<`` adds to it, which happens to some more than once."""
        if id(node) not in self._checked:
            self._checked.add(id(node))
            keys: set[tuple[str, str]] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if (key.tag, key.value) in keys:
                        raise yaml.constructor.ConstructorError(
                            None, None, f"{key.value!r} stands there twice", key.start_mark
                        )
                    keys.add((key.tag, key.value))
        super().flatten_mapping(node)


def load_yaml(text: str) -> Any:
    """What the text holds.

    Raises:
        yaml.YAMLError: it is no YAML, or gives a key of a mapping twice.
    """
    return yaml.load(text, _Loader)
