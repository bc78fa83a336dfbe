"""Refuse a model folder that is damaged or contradicts itself, before torch is loaded. Light to import."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from core.errors import CornerstoneError
from core.models.architectures import auto_class_name
from core.models.config_limits import depths_in, refuse_numbers
from core.models.foreign_code import refuse_foreign_code
from core.models.quantization import refuse_unscaled
from core.models.weight_headers import WeightHeader, read_weight_headers
from core.records.json_object import MOST_VOCABULARY, read_bounded, read_json_object
from core.records.model_files import CONFIG, model_files, own_file

_FEW = 64
_LISTED: Final = re.compile(r"((?:[^.\d][^.]*\.)*[^.\d][^.]*)\.(\d{1,6})\.")
_OTHER_INPUTS: Final = re.compile(r"vision|visual|audio|image|speech|(^|\.)(img|mtp)(\.|$)")
_GENERATION: Final = "generation_config.json"
_LARGEST_TOKENIZER = 2**26
"""Bytes of a tokenizer's file. The largest have half of it, and to read one takes 15 times its size in memory."""


def check_folder(folder: Path) -> dict[str, WeightHeader]:
    """Return the weights that a model folder holds, after a check of what can be told from its headers and config.json.

    Raises:
        CornerstoneError: a file is missing or damaged, the model is no decoder of texts, it needs code from elsewhere,
            or config.json asks for more than the files hold.
    """
    files = model_files(folder)
    configs = {folder / CONFIG: files.config} | {path: read_json_object(path) for path in files.versions}
    for path, config in configs.items():
        _check_config(config, path)
    for file in (*files.tokenizer, *files.rare):
        if file.stat().st_size > _LARGEST_TOKENIZER:
            raise CornerstoneError(f"cannot load {file}: it is larger than {_LARGEST_TOKENIZER >> 20} MiB")
        if file.suffix == ".json":
            read_bounded(file, MOST_VOCABULARY)
    if (folder / _GENERATION).exists():
        read_json_object(own_file(folder, _GENERATION))
    weights = read_weight_headers(files.weights)
    whole = [name for name, weight in weights.items() if name.endswith(".weight") and weight.is_whole]
    if whole and not all(config.get("quantization_config") for config in configs.values()):
        raise CornerstoneError(
            f"cannot load {folder}: {min(whole)} holds whole numbers, but its config.json names no quantization"
        )
    if complex_ := [name for name, weight in weights.items() if weight.dtype == "C64"]:
        raise CornerstoneError(f"cannot load {folder}: {min(complex_)} holds complex numbers, which no such model has")
    refuse_unscaled(weights, files.config, folder)
    _refuse_twice_named(weights, folder)
    held = layers_held(weights)
    for path, config in configs.items():
        # Where few are missing, loading tells which weights those are.
        if (depth := max(depths_in(config), default=0)) > 2 * held + _FEW:
            raise CornerstoneError(
                f"cannot load {path}: it asks for {depth} layers, but the files beside it hold {held}"
            )
    return weights


def _check_config(config: Mapping[str, Any], path: Path) -> None:
    """Raise if a config.json, or a version of it, names what is not supported or asks for what no model has."""
    refuse_foreign_code(config, path)
    if config.get("model_type") is None:
        raise CornerstoneError(f"cannot load {path}: it has no model_type; get a whole copy of the model")
    auto_class_name(config, path.parent)
    refuse_numbers(config, path)


def _refuse_twice_named(weights: Collection[str], folder: Path) -> None:
    """Raise if two names mean the same weight, because transformers silently takes one of them.

    It accepts names with and without the path that leads to the layers, such as ``model.norm.weight`` and
    ``norm.weight``.
    """
    path = "|".join({"model", *map(re.escape, _path_of(weights))})
    leading = re.compile(rf"^(?:(?:{path})\.)+")
    known: dict[str, str] = {}
    for name in sorted(weights):
        other = known.setdefault(leading.sub("", name), name)
        if other != name:
            raise CornerstoneError(f"cannot load {folder}: it holds {name} and {other}, which are the same weight")


def _path_of(weights: Collection[str]) -> tuple[str, ...]:
    """Return the names that lead to the layers of a model, without that of their list."""
    return _numbered(weights)[0][:-1]


def layers_held(weights: Collection[str]) -> int:
    """Return of how many layers weights are, by their names."""
    return len(_numbered(weights)[1])


def _numbered(weights: Collection[str]) -> tuple[tuple[str, ...], set[str]]:
    """Return the dotted path of the list of layers, and the numbers in it: of all lists the one with most weights.

    Lists inside of layers, such as experts, count as parts of these. What sees or hears is left aside.
    """
    lists: dict[str, list[str]] = {}
    for weight in weights:
        if (match := _LISTED.match(weight)) is not None and not _OTHER_INPUTS.search(match[1]):
            lists.setdefault(match[1], []).append(match[2])
    if not lists:
        return ("",), set()
    path = max(sorted(lists), key=lambda path: len(lists[path]))
    return tuple(path.split(".")), set(lists[path])
