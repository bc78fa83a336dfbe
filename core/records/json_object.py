"""Read the JSON files of a model folder, which others have written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from core.errors import CornerstoneError
from core.machine.regular_file import opened_regular

_LARGEST_BYTES = 2**26
_DEEPEST = 64


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file.

    Raises:
        CornerstoneError: the file cannot be read, is no JSON, holds no object, is larger than 64 MiB, or nests its
            values more than 64 deep.
    """
    with opened_regular(path) as file:
        text = file.read(_LARGEST_BYTES + 1)
    if len(text) > _LARGEST_BYTES:
        raise CornerstoneError(f"{path} is larger than {_LARGEST_BYTES >> 20} MiB, which no such file needs")
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


def _too_deep(path: Path) -> CornerstoneError:
    return CornerstoneError(f"{path} nests its values more than {_DEEPEST} deep, which no such file needs")


def _deeper_than(value: Any, levels: int) -> bool:
    layer = [value]
    for _ in range(levels):
        inside = (inner.values() if isinstance(inner, dict) else inner for inner in layer)
        layer = [one for inner in inside for one in inner if isinstance(one, dict | list)]
    return bool(layer)
