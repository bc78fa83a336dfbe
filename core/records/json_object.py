"""Read the JSON files of a model folder, which others have written."""

from __future__ import annotations

import json
from itertools import chain
from pathlib import Path
from typing import Any

from core.errors import CornerstoneError
from core.machine.regular_file import opened_regular
from core.machine.whole_number import whole

_LARGEST_BYTES = 2**26
_MOST_VALUES = 2**19
"""Values of a file, by its commas: in memory, each may take fifty times its size. An index of the weights of the
largest models has a quarter of it."""
MOST_VOCABULARY = 2**22
"""The same for a vocabulary. One of a million pieces, each with a number, has half of it."""
_DEEPEST = 64
_NESTED = frozenset({dict, list})


def read_json_object(path: Path, most_values: int = _MOST_VALUES) -> dict[str, Any]:
    """Return the JSON object in a file.

    Args:
        path: the file.
        most_values: how many values it may have.

    Raises:
        CornerstoneError: the file cannot be read, is no JSON, holds no object, is larger than 64 MiB, has too many
            values, or nests them more than 64 deep.
    """
    text = read_bounded(path, most_values)
    try:
        value = json.loads(text.decode("utf-8"))
    except RecursionError as error:
        raise _too_deep(path) from error
    except ValueError as error:
        said = f"cannot load {path}: it is not a valid JSON file; get a whole copy of the model"
        raise CornerstoneError(said) from error
    if not isinstance(value, dict):
        raise CornerstoneError(f"cannot load {path}: it holds no JSON object; get a whole copy of the model")
    if _deeper_than(value, _DEEPEST):
        raise _too_deep(path)
    return value


def read_bounded(path: Path, most_values: int) -> bytes:
    """Return the text of a JSON file, which is not parsed.

    Raises:
        CornerstoneError: the file cannot be read, is larger than 64 MiB, or has too many values.
    """
    with opened_regular(path) as file:
        text = file.read(_LARGEST_BYTES + 1)
    if len(text) > _LARGEST_BYTES:
        raise CornerstoneError(f"{path} is larger than {_LARGEST_BYTES >> 20} MiB, which no such file needs")
    if text.count(b",") > most_values:
        raise CornerstoneError(f"{path} has more than {whole(most_values)} values, which no such file needs")
    return text


def _too_deep(path: Path) -> CornerstoneError:
    return CornerstoneError(f"{path} nests its values more than {_DEEPEST} deep, which no such file needs")


def _deeper_than(value: Any, levels: int) -> bool:
    layer = [value]
    for _ in range(levels):
        inside = (inner.values() if isinstance(inner, dict) else inner for inner in layer)
        # JSON has no subtypes, and a tokenizer has 100,000 texts and numbers to pass over.
        layer = [one for one in chain.from_iterable(inside) if type(one) in _NESTED]
        if not layer:
            break
    return bool(layer)
