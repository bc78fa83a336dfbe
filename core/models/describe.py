"""Say what a model is without loading its weights: from its files, from the hub, or from its alias. Light to import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from core.coalitions.players import PlayerKind
from core.errors import CornerstoneError
from core.models import hub
from core.models.aliases import Alias, aliases
from core.models.architectures import auto_class_name
from core.models.config_limits import depth_of, refuse_numbers
from core.models.families import expected_players
from core.models.folder_check import check_folder
from core.models.foreign_code import refuse_foreign_code
from core.models.gguf_header import check_gguf
from core.models.known_layout import known_layout
from core.models.layout import Way
from core.models.lookup import InGguf, InPackage, ModelSource, OnHub, look_up, unknown
from core.models.quantization import method_of
from core.records.fingerprint import kept_fingerprint
from core.records.model_files import CONFIG, model_files

_MB: Final = 10**6
_DEVICES: Final = ("cpu", "cuda", "mps")
_DTYPES: Final = ("float32", "bfloat16", "float16")


@dataclass(frozen=True, slots=True)
class Description:
    """What is known of a model. What is not known is None.

    Attributes:
        model: the name that was asked for.
        description: what its alias says of it.
        source: where it comes from.
        architecture: its ``model_type``; for a GGUF file, llama.cpp's name of it.
        layers: the number of decoder layers.
        players: the number of players of each kind.
        parameters: the number of weights. None where they are quantized, because several then share an element.
        quantized: how the weights are quantized.
        bytes: the size of the model's files on this machine.
        download_bytes: the size of the download, if there must be one.
        cached: whether it can be loaded without a download.
        ways: how it is evaluated where it was loaded before, by dtype and device, as ``float32 on cpu``.
        refused: why it cannot be evaluated, if that shows without its weights.
    """

    model: str
    source: str
    cached: bool
    description: str | None = None
    architecture: str | None = None
    layers: int | None = None
    players: Mapping[PlayerKind, int] = field(default_factory=dict)
    parameters: int | None = None
    quantized: str | None = None
    bytes: int | None = None
    download_bytes: int | None = None
    ways: Mapping[str, Way] = field(default_factory=dict)
    refused: str | None = None


def describe(name: str, *, revision: str | None = None, offline: bool = False) -> Description:
    """Return what a model is.

    Args:
        name: an alias, a hub id, a folder or a GGUF file.
        revision: the revision of a hub id.
        offline: do not ask the hub.

    Raises:
        CornerstoneError: there is no such model, or its files are no model.
    """
    alias = next((alias for alias in aliases() if alias.name == name), None)
    place = look_up(name, revision=revision, offline=offline and alias is None)
    match place:
        case ModelSource():
            return _in_folder(name, place, alias)
        case InGguf(path):
            return _in_gguf(name, path)
        case InPackage() | OnHub() if alias is not None:
            return _of_alias(name, alias)
        case OnHub(hub_id, revision):
            return _on_hub(name, hub_id, revision)
    raise AssertionError(place)


def _in_folder(name: str, source: ModelSource, alias: Alias | None) -> Description:
    files = model_files(source.folder)
    players = expected_players(source.folder)
    quantized, parameters, refused = method_of(files.config.get("quantization_config")), None, None
    try:
        weights = check_folder(source.folder)
        parameters = None if quantized else sum(weight.size for weight in weights.values())
    except CornerstoneError as error:
        refused = str(error)
    ways = _ways(source.folder) if refused is None else {}
    return Description(
        model=name,
        source=source.origin if source.revision is None else f"{source.origin} at {source.revision}",
        cached=True,
        description=None if alias is None else alias.description,
        architecture=_text(files.config.get("model_type")),
        layers=len({player.layer for player in players}) if players else depth_of(files.config),
        players=dict(Counter(player.kind for player in players or ())),
        parameters=parameters,
        quantized=quantized,
        bytes=sum(path.stat().st_size for path in files.states()),
        ways=ways,
        refused=refused,
    )


def _ways(folder: Path) -> dict[str, Way]:
    """Return how the model in a folder is evaluated, by dtype and device, where that was verified before."""
    found = {}
    for dtype in _DTYPES:
        fingerprint = kept_fingerprint(folder, dtype)
        if fingerprint is None:
            continue
        for place in _DEVICES:
            if (layout := known_layout(fingerprint, place, in_part=True)) is not None:
                found[f"{dtype} on {place}"] = layout.way
    return found


def _in_gguf(name: str, path: Path) -> Description:
    size = path.stat().st_size
    try:
        header = check_gguf(path)
    except CornerstoneError as error:
        return Description(name, str(path), True, bytes=size, refused=str(error))
    return Description(
        name,
        str(path),
        True,
        architecture=header.architecture,
        layers=header.layers,
        parameters=sum(header.sizes.values()),
        bytes=size,
    )


def _of_alias(name: str, alias: Alias) -> Description:
    return Description(
        name,
        str(alias.hub or alias.package),
        False,
        description=alias.description,
        architecture=alias.architecture,
        layers=alias.layers,
        download_bytes=None if alias.download_mb is None else alias.download_mb * _MB,
    )


def _on_hub(name: str, hub_id: str, revision: str | None) -> Description:
    try:
        found = hub.look_at(hub_id, revision)
    except CornerstoneError as error:
        raise unknown(name, str(error), error.mend) from error
    quantized = method_of(found.config.get("quantization_config"))
    return Description(
        name,
        hub_id if revision is None else f"{hub_id} at {revision}",
        False,
        architecture=_text(found.config.get("model_type")),
        layers=depth_of(found.config),
        parameters=None if quantized else found.parameters,
        quantized=quantized,
        download_bytes=found.download_bytes,
        refused=_refusal(found.config, hub_id),
    )


def _refusal(config: Mapping[str, Any], hub_id: str) -> str | None:
    """Return why a configuration is refused; None if it is not."""
    place = Path(hub_id, CONFIG)
    try:
        refuse_foreign_code(config, place)
        auto_class_name(config, hub_id)
        refuse_numbers(config, place)
    except CornerstoneError as error:
        return str(error)
    return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
