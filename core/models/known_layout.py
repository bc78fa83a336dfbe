"""Layouts that were verified before, kept in the user's cache. Light to import: players are known before torch is.

A layout is kept under the model's fingerprint, which counts weights, configuration and dtype. The kinds of its players
are kept under its configuration alone, as they follow from how the model is made; loading tells for certain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, get_args

from core.coalitions.expert_layers import in_ranges
from core.coalitions.players import Kinds, PlayerKind, layers_of_experts
from core.errors import CornerstoneError
from core.machine.cached_fact import keep_fact, read_fact
from core.machine.paths import cache_folder
from core.models.config_limits import MOST_LAYERS
from core.models.layout import Layer, Layout, Sublayer, Way
from core.records.fingerprint import digest_of
from core.records.json_object import read_json_object

_OWN_FORM: Final = frozenset({"sublayers", "experts"})
"""Fields of a layer that have a form of their own in JSON, or none: ``known_experts`` keeps the experts."""

LAWS: Final = 2
"""Counts the versions of detection and laws: what an earlier one found is found anew."""

_COMPUTING: Final = (
    "torch", "transformers", "accelerate", "kernels", "flash-attn", "flash-linear-attention", "causal-conv1d",
    "mamba-ssm",
)  # fmt: skip
"""Packages that compute layers, some of them only where they are installed: another version may do it otherwise."""


def known_layout(fingerprint: str, place: str, *, in_part: bool = False) -> Layout | None:
    """Return the layout that was verified for a model on this kind of device; None if it must be verified now.

    Args:
        fingerprint: the fingerprint of the model with its dtype.
        place: the kind of device, such as ``cpu``, because a kernel may be exact on one and not on another.
        in_part: take one as well of which a part was verified only, as is done where weights are offloaded.
    """
    for asked in (_asked(fingerprint, place, in_part=part) for part in ((False, True) if in_part else (False,))):
        file = fact_file(asked)
        found = None if file is None else _layout(read_fact(file, asked))
        if found is not None:
            return found
    return None


def keep_layout(fingerprint: str, place: str, folder: Path, layout: Layout, *, in_part: bool = False) -> None:
    """Keep a layout that was verified for the model in a folder. Where that is not possible, nothing changes."""
    asked = _asked(fingerprint, place, in_part=in_part)
    if (file := fact_file(asked)) is not None:
        keep_fact(file, asked, _as_json(layout))
    keep_kinds(folder, layout.kinds)


def _asked(fingerprint: str, place: str, *, in_part: bool) -> dict[str, Any]:
    return about(fingerprint=fingerprint, place=place, **({"verified": "in part"} if in_part else {}))


def keep_kinds(folder: Path, kinds: Kinds) -> None:
    """Keep the kinds of the players of the model in a folder, by the layers whose experts are players."""
    made = _made(folder, layers_of_experts(kinds))
    if made is not None and (file := fact_file(made)) is not None:
        keep_fact(file, made, [list(of_layer) for of_layer in kinds])


def known_kinds(folder: Path, experts: Sequence[int] = ()) -> Kinds | None:
    """Return the kinds of the players of the model in a folder, layer by layer; None if it was never loaded here so.

    Args:
        folder: the folder of the model.
        experts: the layers whose experts are players.
    """
    made = _made(folder, experts)
    file = None if made is None else fact_file(made)
    if file is None or made is None:
        return None
    fact = read_fact(file, made)
    if not isinstance(fact, list) or not 1 <= len(fact) <= MOST_LAYERS:
        return None
    kinds = tuple(tuple(layer) if isinstance(layer, list) else ("",) for layer in fact)
    return kinds if all(kind in get_args(PlayerKind) for layer in kinds for kind in layer) else None


def about(**what: str) -> dict[str, Any]:
    """Return what a fact is about, with all on which it depends besides."""
    return {**what, "laws": LAWS, **{package: _version(package) for package in _COMPUTING}}


def _made(folder: Path, experts: Sequence[int]) -> dict[str, Any] | None:
    """Return what the kinds of a model's players follow from; None if the folder has no configuration."""
    try:
        config = digest_of(read_json_object(folder / "config.json"))
    except CornerstoneError:
        return None
    return about(config=config, **({"experts": in_ranges(experts)} if experts else {}))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def fact_file(about: Mapping[str, Any]) -> Path | None:
    """Return the file that keeps a fact; None if this machine cannot keep any."""
    try:
        folder = cache_folder("layouts")
    except CornerstoneError:
        return None
    name = hashlib.sha256("\n".join(f"{key}={about[key]}" for key in sorted(about)).encode()).hexdigest()
    return folder / f"{name}.json"


def _as_json(layout: Layout) -> dict[str, Any]:
    """Return a layout as JSON. Layers that are alike are written once."""
    alike = list(dict.fromkeys(layout.layers))
    return {
        "path": layout.path,
        "way": layout.way,
        "made": [_layer_as_json(layer) for layer in alike],
        "layers": [alike.index(layer) for layer in layout.layers],
    }


def _layer_as_json(layer: Layer) -> dict[str, Any]:
    rest = {field.name: getattr(layer, field.name) for field in fields(layer) if field.name not in _OWN_FORM}
    return {"sublayers": [[part.kind, list(part.parts), list(part.feeds)] for part in layer.sublayers], **rest}


def _layout(fact: Any) -> Layout | None:
    """Return a layout from JSON; None if it is not one."""
    try:
        made = [_layer(layer) for layer in fact["made"]]
        found = Layout(fact["path"], tuple(made[index] for index in fact["layers"]), fact["way"])
    except (TypeError, KeyError, IndexError, ValueError):
        return None
    sound = isinstance(found.path, str) and found.way in get_args(Way) and min(fact["layers"], default=-1) >= 0
    return found if sound and _as_json(found) == fact else None


def _layer(content: Any) -> Layer:
    sublayers = tuple(Sublayer(kind, tuple(parts), tuple(feeds)) for kind, parts, feeds in content["sublayers"])
    if not all(sublayer.kind in get_args(PlayerKind) for sublayer in sublayers):
        raise ValueError("there is no such kind of player")
    return Layer(sublayers, **{key: value for key, value in content.items() if key != "sublayers"})
