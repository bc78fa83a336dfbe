"""Refuse a damaged GGUF file by its header, before a library allocates what that says. Light to import."""

from __future__ import annotations

import math
import os
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from core.errors import CornerstoneError
from core.machine.regular_file import opened_regular
from core.machine.whole_number import whole
from core.models.config_limits import MOST_LAYERS

_VERSIONS: Final = (2, 3)
_SCALARS: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MOST_ITEMS: Final = 2**22  # the largest vocabularies and their merges have a quarter of it
_MOST_ENTRIES: Final = 2**16
_MOST_TENSORS: Final = 2**17
_LONGEST_TEXT: Final = 2**22
_MOST_DIMENSIONS: Final = 4
# Numbers of the model, without the name of the architecture, and their largest value.
_COUNTS: Final = {
    "block_count": MOST_LAYERS,
    "embedding_length": 2**22,
    "feed_forward_length": 2**22,
    "vocab_size": 2**28,
    "context_length": 2**40,
    "attention.head_count": 2**16,
    "attention.head_count_kv": 2**16,
    "attention.key_length": 2**16,
    "attention.value_length": 2**16,
    "rope.dimension_count": 2**16,
    "expert_count": 2**16,
    "expert_used_count": 2**16,
}
_NONE_WITHOUT_ATTENTION: Final = frozenset({"feed_forward_length", "attention.head_count", "attention.head_count_kv"})
_MAY_BE_ZERO: Final = frozenset({"expert_count", "expert_used_count"})


@dataclass(frozen=True, slots=True)
class _Tensor:
    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int


@dataclass(frozen=True, slots=True)
class GgufHeader:
    """What a GGUF file says of its model: its numbers by name, and the number of elements of each tensor."""

    metadata: Mapping[str, Any]
    sizes: Mapping[str, int]

    @property
    def architecture(self) -> str:
        """Return the name that llama.cpp gives the architecture."""
        return str(self.metadata["general.architecture"])

    @property
    def layers(self) -> int | None:
        """Return the number of layers; None if the file does not say."""
        count = self.metadata.get(f"{self.architecture}.block_count")
        return count if isinstance(count, int) else None


def check_gguf(path: Path) -> GgufHeader:
    """Return the header of a GGUF file, after a check of it against the file.

    Raises:
        CornerstoneError: the file cannot be read, is no GGUF, is cut off, or has numbers that no model has.
    """
    with opened_regular(path) as file:
        try:
            return _check(_Reader(file, path))
        except UnicodeDecodeError as error:
            raise _damaged(path, "a text in its header is not UTF-8") from error


class _Reader:
    """Reads the values of a GGUF file in order. It never reads, or loops, beyond the end of the file."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self.path = path
        self.size = os.fstat(file.fileno()).st_size
        self._file = file
        self._items = 0

    @property
    def position(self) -> int:
        return self._file.tell()

    def number(self, form: str) -> Any:
        return struct.unpack(f"<{form}", self.take(struct.calcsize(f"<{form}")))[0]

    def text(self) -> str:
        length = self.number("Q")
        if length > _LONGEST_TEXT:
            raise _damaged(self.path, f"its header has a text of {whole(length)} bytes")
        return self.take(length).decode("utf-8")

    def count(self, most: int, what: str) -> int:
        """Return the number of things that follow, each of which takes at least a byte."""
        found = int(self.number("Q"))
        if found > min(most, self.size - self.position):
            raise _damaged(self.path, f"its header says that it has {whole(found)} {what}")
        return found

    def value(self) -> Any:
        kind = self.number("I")
        return self._array() if kind == _ARRAY else self._single(kind)

    def take(self, length: int) -> bytes:
        if length > self.size - self.position:
            raise _damaged(self.path, "it is cut off")
        return self._file.read(length)

    def _array(self) -> list[Any]:
        kind = self.number("I")
        count = self.count(_MOST_ITEMS, "values in a list")
        self._items += count
        if self._items > 2 * _MOST_ITEMS:
            raise _damaged(self.path, "its header has more values than any model needs")
        if kind in _SCALARS:
            return list(struct.unpack(f"<{count}{_SCALARS[kind]}", self.take(count * struct.calcsize(_SCALARS[kind]))))
        if kind != _STRING:
            raise _damaged(self.path, f"its header has a list of an unknown type ({kind})")
        for _ in range(count):
            self.text()
        return []  # the texts themselves are of no interest here

    def _single(self, kind: int) -> Any:
        if kind == _STRING:
            return self.text()
        if kind not in _SCALARS:
            raise _damaged(self.path, f"its header has a value of an unknown type ({kind})")
        return self.number(_SCALARS[kind])


def _check(reader: _Reader) -> GgufHeader:
    path = reader.path
    if reader.size < 24 or reader.take(4) != b"GGUF":
        raise _damaged(path, "it does not begin with GGUF")
    version = reader.number("I")
    if version not in _VERSIONS:
        raise _damaged(path, f"it says that it is of version {version} of GGUF, and versions 2 and 3 can be read")
    tensors = reader.count(_MOST_TENSORS, "tensors")
    entries = reader.count(_MOST_ENTRIES, "entries")
    metadata: dict[str, Any] = {}
    for _ in range(entries):
        key = reader.text()
        if key in metadata:
            raise _damaged(path, f"its header has {key[:80]!r} twice")
        metadata[key] = reader.value()
    table = [_tensor(reader) for _ in range(tensors)]
    _check_metadata(path, metadata, table)
    _check_tensors(reader, metadata.get("general.alignment", 32), table)
    return GgufHeader(metadata, {tensor.name: math.prod(tensor.shape) for tensor in table})


def _tensor(reader: _Reader) -> _Tensor:
    name = reader.text()
    dimensions = reader.number("I")
    if not 1 <= dimensions <= _MOST_DIMENSIONS:
        raise _damaged(reader.path, f"the tensor {name[:80]!r} has {whole(dimensions)} dimensions")
    shape = tuple(reader.number("Q") for _ in range(dimensions))
    return _Tensor(name, shape, reader.number("I"), reader.number("Q"))


def _check_metadata(path: Path, metadata: dict[str, Any], table: list[_Tensor]) -> None:
    architecture = metadata.get("general.architecture")
    if not isinstance(architecture, str):
        raise _damaged(path, "it does not say which architecture it has")
    without_attention = isinstance(metadata.get(f"{architecture}.ssm.state_size"), int)
    for name, most in _COUNTS.items():
        value = metadata.get(f"{architecture}.{name}")
        for one in value if isinstance(value, list) else [value]:
            free = name in _MAY_BE_ZERO or (name in _NONE_WITHOUT_ATTENTION and without_attention)
            least = 0 if free or isinstance(value, list) else 1
            if one is not None and (type(one) is not int or not least <= one <= most):
                raise _damaged(
                    path,
                    f"{architecture[:80]}.{name} is {str(one)[:60]}, not a whole number from {least} to {whole(most)}",
                )
    blocks = metadata.get(f"{architecture}.block_count", 0)
    held = len({match[1] for one in table if (match := re.match(r"(?:blk|enc\.blk|dec\.blk)\.(\d{1,6})\.", one.name))})
    if isinstance(blocks, int) and blocks != held:
        raise _damaged(path, f"it says that it has {blocks} layers, and it holds weights of {held}")


def _check_tensors(reader: _Reader, alignment: Any, table: list[_Tensor]) -> None:
    """Check that all tensors lie within the file, apart from each other."""
    from gguf.constants import GGML_QUANT_SIZES

    path = reader.path
    if type(alignment) is not int or not 1 <= alignment <= 2**16:
        raise _damaged(path, f"it has an alignment of {str(alignment)[:60]}")
    if len({one.name for one in table}) != len(table):
        raise _damaged(path, "it has two tensors of the same name")
    begin = -(-reader.position // alignment) * alignment
    sizes = {int(kind): size for kind, size in GGML_QUANT_SIZES.items()}
    end = 0
    for tensor in sorted(table, key=lambda one: one.offset):
        if tensor.kind not in sizes:
            raise _damaged(path, f"the tensor {tensor.name[:80]!r} has an unknown type ({tensor.kind})")
        elements, size = sizes[tensor.kind]
        if tensor.shape[0] % elements or tensor.offset % alignment or tensor.offset < end:
            raise _damaged(path, f"the tensor {tensor.name[:80]!r} has a shape or place that cannot be")
        end = tensor.offset + math.prod(tensor.shape) // elements * size
        if begin + end > reader.size:
            raise _damaged(path, "it is cut off")


def _damaged(path: Path, what: str) -> CornerstoneError:
    return CornerstoneError(f"cannot read {path} as a GGUF model ({what})")
