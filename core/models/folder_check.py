"""Refuse a model folder that is damaged or contradicts itself, before torch is loaded. Light to import."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from core.errors import CornerstoneError
from core.models.config_limits import refuse_numbers
from core.models.families import FAMILIES, Family, unsupported
from core.models.foreign_code import refuse_foreign_code
from core.models.weight_headers import WeightHeader, read_weight_headers
from core.records.model_files import CONFIG, model_files

_FEW = 64
_LARGEST_TOKENIZER = 2**26
"""Bytes of a tokenizer's file. The largest have half of it, and to read one takes 15 times its size in memory."""


def check_folder(folder: Path) -> dict[str, WeightHeader]:
    """Return the weights that a model folder holds, after a check of what can be told from its headers and config.json.

    Raises:
        CornerstoneError: a file is missing or damaged, the architecture is not supported, the model needs code from
            elsewhere, or config.json asks for more than the files hold.
    """
    files = model_files(folder)
    path = folder / CONFIG
    refuse_foreign_code(files.config, folder, frozenset(FAMILIES))
    model_type = files.config.get("model_type")
    if model_type is None:
        raise CornerstoneError(f"cannot load {path}: it has no model_type; get a whole copy of the model")
    if model_type not in FAMILIES:
        raise CornerstoneError(f"cannot load {folder}: {unsupported(model_type)}")
    refuse_numbers(files.config, path)
    for file in (*files.tokenizer, *files.rare):
        if file.stat().st_size > _LARGEST_TOKENIZER:
            raise CornerstoneError(f"cannot load {file}: it is larger than {_LARGEST_TOKENIZER >> 20} MiB")
    weights = read_weight_headers(files.weights)
    whole = [name for name, weight in weights.items() if name.endswith(".weight") and weight.is_whole]
    if whole and not files.config.get("quantization_config"):
        raise CornerstoneError(
            f"cannot load {folder}: {min(whole)} holds whole numbers, but its config.json names no quantization"
        )
    if complex_ := [name for name, weight in weights.items() if weight.dtype == "C64"]:
        raise CornerstoneError(f"cannot load {folder}: {min(complex_)} holds complex numbers, which no such model has")
    _refuse_twice_named(weights, folder, FAMILIES[model_type])
    depth = files.config.get("num_hidden_layers", files.config.get(FAMILIES[model_type].depth))
    held = _layers_in(weights, FAMILIES[model_type].layers.rpartition(".")[2])
    # Where few are missing, loading tells which weights those are.
    if isinstance(depth, int) and depth > 2 * held + _FEW:
        raise CornerstoneError(f"cannot load {path}: it asks for {depth} layers, but the files beside it hold {held}")
    return weights


def _refuse_twice_named(weights: Iterable[str], folder: Path, family: Family) -> None:
    """Raise if two names mean the same weight, because transformers silently takes one of them.

    It accepts names with and without the path that leads to the layers, such as ``model.norm.weight`` and
    ``norm.weight``.
    """
    path = "|".join({"model", *family.layers.split(".")[:-1]})
    leading = re.compile(rf"^(?:(?:{path})\.)+")
    known: dict[str, str] = {}
    for name in sorted(weights):
        other = known.setdefault(leading.sub("", name), name)
        if other != name:
            raise CornerstoneError(f"cannot load {folder}: it holds {name} and {other}, which are the same weight")


def _layers_in(weights: Iterable[str], name: str) -> int:
    """Return how many layers have weights, whatever stands before the name of their list."""
    numbered = re.compile(rf"(?:^|\.){re.escape(name)}\.(\d{{1,6}})\.")
    found = (numbered.search(weight) for weight in weights)
    return len({match[1] for match in found if match is not None})
