"""Read which weights safetensors files hold, from their headers alone. Light to import."""

from __future__ import annotations

import json
import math
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import CornerstoneError
from core.machine.plain_text import short_repr
from core.machine.regular_file import opened_regular
from core.machine.whole_number import whole

MOST_HEADER_BYTES: Final = 2**25
"""Largest header that is read. Models of a hundred thousand tensors have half of it; the format allows 100 MB."""

_MOST_HEADER_VALUES: Final = 2**21
"""Values of such a header, by its commas: each tensor has about six."""

_BITS: Final = {
    "F64": 64, "I64": 64, "U64": 64, "C64": 64, "F32": 32, "I32": 32, "U32": 32, "F16": 16, "BF16": 16, "I16": 16,
    "U16": 16, "F8_E4M3": 8, "F8_E4M3FNUZ": 8, "F8_E5M2": 8, "F8_E5M2FNUZ": 8, "F8_E8M0": 8, "I8": 8, "U8": 8,
    "BOOL": 8, "F6_E2M3": 6, "F6_E3M2": 6, "F4": 4, "F4_E2M1": 4,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class WeightHeader:
    """What a safetensors file says of one tensor: its type, in the format's words, and its shape."""

    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Return the number of elements."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Return the size in the file."""
        return self.size * _BITS[self.dtype] // 8

    @property
    def is_whole(self) -> bool:
        """Return whether its elements are whole numbers or booleans."""
        return self.dtype[0] in "IU" or self.dtype == "BOOL"


def read_weight_headers(files: Sequence[Path]) -> dict[str, WeightHeader]:
    """Return the weights of a model by name; the tensors themselves are not read.

    Raises:
        CornerstoneError: a file is damaged or cut off, or two files hold a weight of the same name.
    """
    weights: dict[str, WeightHeader] = {}
    for file in files:
        found = _read(file)
        if twice := weights.keys() & found.keys():
            raise CornerstoneError(
                f"cannot load {file}: it holds {short_repr(min(twice))}, which another file of the same model holds too"
            )
        weights |= found
    return weights


def _read(path: Path) -> dict[str, WeightHeader]:
    with opened_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else size
        if length > size - 8:
            raise _damaged(path, "its header is cut off, or it is no safetensors file")
        if length > MOST_HEADER_BYTES:
            raise _damaged(path, f"its header says that it is longer than {MOST_HEADER_BYTES >> 20} MiB")
        text = file.read(length)
    if text.count(b",") > _MOST_HEADER_VALUES:
        raise _damaged(path, f"its header has more than {whole(_MOST_HEADER_VALUES)} values")
    try:
        header = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise _damaged(path, "its header is not valid JSON") from error
    if not isinstance(header, dict):
        raise _damaged(path, "its header is no JSON object")
    header.pop("__metadata__", None)
    _refuse_gaps(path, header, size - 8 - length)
    return {name: WeightHeader(entry["dtype"], tuple(entry["shape"])) for name, entry in header.items()}


def _refuse_gaps(path: Path, header: Mapping[str, Any], data_bytes: int) -> None:
    """Raise unless the tensors fill the data of a file, without gaps, overlaps or a rest."""
    spans = sorted(_span(path, name, entry) for name, entry in header.items())
    ends = [0, *(end for _, end in spans)]
    if any(begin != end for (begin, _), end in zip(spans, ends, strict=False)) or ends[-1] != data_bytes:
        inside = all(end <= data_bytes for end in ends)
        raise _damaged(path, "its tensors leave gaps or overlap" if inside else "it is cut off")


def _span(path: Path, name: str, entry: Any) -> tuple[int, int]:
    """Return where the bytes of a tensor begin and end, after a check that they suit its type and shape."""
    match entry:
        case {"dtype": str(dtype), "shape": list(shape), "data_offsets": [int(begin), int(end)]}:
            if dtype not in _BITS:
                raise _damaged(
                    path, f"{short_repr(name)} has the type {short_repr(dtype)}, which the format does not know"
                )
            if any(type(side) is not int or side < 0 for side in shape) or not 0 <= begin <= end:
                raise _damaged(path, f"{short_repr(name)} has a shape or place that cannot be")
            if math.prod(shape) * _BITS[dtype] != 8 * (end - begin):
                raise _damaged(path, f"{short_repr(name)} has another number of bytes than its shape asks for")
            return begin, end
    raise _damaged(path, f"its header does not say where {short_repr(name)} is")


def _damaged(path: Path, what: str) -> CornerstoneError:
    return CornerstoneError(f"cannot load {path}: {what}; get a whole copy of the model")
