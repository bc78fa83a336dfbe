"""Read YAML safely, and refuse a mapping that has the same key twice."""

from __future__ import annotations

from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """A safe YAML loader that refuses repeated keys; PyYAML silently takes the last one."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._checked: set[int] = set()

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Check the keys of a mapping before ``<<`` adds to it. PyYAML calls this more than once for some mappings."""
        if id(node) not in self._checked:
            self._checked.add(id(node))
            keys: set[tuple[str, str]] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if (key.tag, key.value) in keys:
                        raise yaml.constructor.ConstructorError(
                            None, None, f"{key.value!r} appears twice", key.start_mark
                        )
                    keys.add((key.tag, key.value))
        super().flatten_mapping(node)


def load_yaml(text: str) -> Any:
    """Return the content of a YAML text.

    Raises:
        yaml.YAMLError: the text is not YAML, or a mapping has the same key twice.
    """
    return yaml.load(text, _Loader)
