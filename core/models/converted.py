"""Models converted to safetensors: their folders in the user's cache, and whether they are whole. Light to import."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

from core.errors import CornerstoneError
from core.machine.cached_fact import keep_fact, read_fact
from core.machine.paths import cache_folder
from core.machine.regular_file import opened_regular
from core.records.model_files import has_vocabulary, model_files

_MANIFEST = "complete.json"
_ABOUT = {"what": "the size of each file of a converted model"}
_LARGEST_HEADER = 10**8  # the safetensors format's own bound


def converted_folder(name: str) -> Path:
    """Return the folder for a model that is converted to safetensors."""
    return cache_folder("models") / name


def declare_complete(folder: Path) -> bool:
    """Write into a folder that it holds a whole converted model. Return whether that was possible."""
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    return keep_fact(folder / _MANIFEST, _ABOUT, sizes)


def is_complete(folder: Path) -> bool:
    """Return whether the folder holds a whole converted model, by its own list of files.

    A folder that was made before there were such lists counts if its weights are as long as their headers say.
    """
    try:
        files = model_files(folder)
        sizes = read_fact(folder / _MANIFEST, _ABOUT)
        if isinstance(sizes, dict):
            return all((folder / name).stat().st_size == size for name, size in sizes.items())
        return (
            not (folder / _MANIFEST).exists()
            and has_vocabulary(folder)
            and all(map(_weights_are_whole, files.weights))
            and all(map(_ends_as_json, (path for path in files.tokenizer if path.suffix == ".json")))
        )
    except (CornerstoneError, OSError):
        return False


def _weights_are_whole(path: Path) -> bool:
    """Return whether a safetensors file is as long as its header says."""
    with opened_regular(path) as file:
        try:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length)) if length <= _LARGEST_HEADER else {}
            ends = [entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"]
            return bool(ends) and 8 + length + max(ends) == os.fstat(file.fileno()).st_size
        except (struct.error, ValueError, RecursionError, AttributeError, KeyError, IndexError, TypeError):
            return False


def _ends_as_json(path: Path) -> bool:
    """Return whether a file ends as a JSON object does. To read a whole vocabulary takes too long."""
    with opened_regular(path) as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - 16))
        return file.read().rstrip().endswith(b"}")
