"""Read YAML safely: bounded in size, depth and aliases, with each key once, and with PyYAML's own faults in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

import yaml

from core.machine.plain_text import is_utf8, short_repr
from core.machine.small_file import MOST_BYTES

MOST_DEPTH: Final = 50
"""How deep lists and mappings may be nested."""

_MOST_CHARACTERS: Final = MOST_BYTES
_MOST_DIGITS: Final = 40

# PyYAML raises these where a text does not fit its tag, as in `!!int abc`, `2020-13-45` or a number of 5000 digits.
_UNFIT = (ValueError, AttributeError, LookupError, TypeError, ArithmeticError)


_Fast = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""PyYAML's safe loader in C, which some of its builds lack."""


def load_shipped(text: str) -> Any:
    """Parse a file of this package, which needs no bounds. Eight times faster than ``load_yaml``."""
    return yaml.load(text, _Fast)


class _Loader(yaml.SafeLoader):
    """A safe YAML loader that refuses what is too large, and repeated keys; PyYAML silently takes the last one."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._checked: set[int] = set()
        self._depth = self._deepest = 0
        self._characters = 0
        self._written: dict[str, tuple[int, int]] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose a node. An alias counts as if everything that it stands for were written out in its place."""
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        anchor = getattr(event, "anchor", None)
        if isinstance(event, yaml.AliasEvent):
            if anchor in self.anchors and anchor not in self._written:
                raise _fault(f"{short_repr(anchor)} stands for something that holds it", event.start_mark)
            characters, levels = self._written.get(str(anchor), (0, 0))
            self._count(characters, event.start_mark)
            self._reach(self._depth + levels, event.start_mark)
            return super().compose_node(parent, index)
        before, deepest = self._characters, self._deepest
        self._count(1 + len(getattr(event, "value", "")), event.start_mark)
        self._depth += 1
        self._deepest = 0
        self._reach(self._depth, event.start_mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if anchor is not None:
            self._written[anchor] = self._characters - before, self._deepest - self._depth
        self._deepest = max(self._deepest, deepest)
        return node

    def _reach(self, depth: int, mark: Any) -> None:
        self._deepest = max(self._deepest, depth)
        if depth > MOST_DEPTH:
            raise _fault(f"lists and mappings are nested more than {MOST_DEPTH} deep", mark)

    def _count(self, characters: int, mark: Any) -> None:
        self._characters += characters
        if self._characters > _MOST_CHARACTERS:
            raise _fault(f"with aliases written out, it has more than {_MOST_CHARACTERS} characters", mark)

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Check the keys of a mapping before ``<<`` adds to it. PyYAML calls this more than once for some mappings."""
        if id(node) not in self._checked:
            self._checked.add(id(node))
            keys: set[tuple[str, str]] = set()
            for key, _ in node.value:
                if isinstance(key, yaml.ScalarNode):
                    if (key.tag, key.value) in keys:
                        raise _fault(f"{short_repr(key.value)} appears twice", key.start_mark)
                    keys.add((key.tag, key.value))
        super().flatten_mapping(node)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Construct a value. A scalar that does not fit its tag, or that no program can pass on, is refused."""
        try:
            value = super().construct_object(node, deep)
        except _UNFIT as error:
            said = f"{short_repr(getattr(node, 'value', None))} is no {short_repr(str(node.tag).rpartition(':')[2])}"
            raise _fault(said, node.start_mark) from error
        if isinstance(value, str) and ("\0" in value or not is_utf8(value)):
            raise _fault(f"{short_repr(value)} has a character that no text has", node.start_mark)
        if isinstance(value, int) and abs(value) >= 10**_MOST_DIGITS:
            raise _fault(f"a number has more than {_MOST_DIGITS} digits", node.start_mark)
        return value


class _Unreadable(yaml.MarkedYAMLError):
    """The text is no YAML, or too much of it."""


Tags = Mapping[str, Callable[[str], Any]]
"""What to make of the text behind a tag, such as ``!function``."""

_NO_TAGS: Final[Tags] = MappingProxyType({})


def load_yaml(text: str | bytes, tags: Tags = _NO_TAGS) -> Any:
    """Return the content of a YAML text.

    Args:
        text: bytes must be UTF-8.
        tags: tags beside those of YAML, which are refused otherwise.

    Raises:
        yaml.YAMLError: the text is not YAML, too large, too deep, or a mapping has the same key twice;
            ``what_is_wrong`` words it.
    """
    if len(text) > MOST_BYTES:
        raise _Unreadable(problem=f"it has more than {MOST_BYTES} characters, which is too large")
    try:
        return yaml.load(text.decode() if isinstance(text, bytes) else text, _loader_with(tags))
    except UnicodeDecodeError as error:
        raise _Unreadable(problem="it is not UTF-8 text") from error
    except RecursionError as error:
        raise _Unreadable(problem="lists and mappings are nested too deep") from error
    except _UNFIT as error:
        raise _Unreadable(problem=f"{type(error).__name__}: {short_repr(str(error))}") from error


def _loader_with(tags: Tags) -> type[_Loader]:
    class Tagged(_Loader):
        """The loader, with these tags."""

    for tag, make in tags.items():
        Tagged.add_constructor(tag, _made_by(make))
    return Tagged


def _made_by(make: Callable[[str], Any]) -> Callable[[_Loader, yaml.Node], Any]:
    def constructed(loader: _Loader, node: yaml.Node) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            raise _fault(f"{short_repr(str(node.tag))} needs a text behind it", node.start_mark)
        return make(str(loader.construct_scalar(node)))

    return constructed


def what_is_wrong(error: yaml.YAMLError) -> tuple[int | None, str]:
    """Return the line of an error of ``load_yaml``, from 1, if it has one; and what is wrong in a few words."""
    mark = getattr(error, "problem_mark", None)
    if isinstance(error, yaml.reader.ReaderError):
        return None, f"{short_repr(error.character)} is a character that YAML forbids"
    problem, context = getattr(error, "problem", None), getattr(error, "context", None)
    said = str(problem or context or "unreadable")
    if said.startswith("but ") and context:
        said = f"{context}, {said}"
    return (None if mark is None else mark.line + 1), " ".join(said.split())


def _fault(said: str, mark: Any) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, said, mark)
