"""Mask files: the layers to remove from a model, and the evidence for it. JSON, light to import.

``core.mask`` applies a mask to a model.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

import pydantic
import pydantic_core

from core.coalitions.players import LAYERS_BOUND, Kinds, Player, PlayerKind, Removed, players_of
from core.errors import CornerstoneError
from core.machine.atomic_file import whole_file
from core.machine.json_text import load_json
from core.machine.plain_text import short_repr
from core.machine.small_file import read_small

VERSION: Final = 2
_STRICT: Final = pydantic.ConfigDict(extra="forbid", allow_inf_nan=False)
_MOST_BYTES: Final = 2**24
_MOST_A_LAYER: Final = 10_000  # no layer has as many experts
_Count = Annotated[int, pydantic.Field(ge=0, lt=2**63)]
_LayerKinds = Annotated[tuple[PlayerKind, ...], pydantic.Field(max_length=_MOST_A_LAYER)]


@dataclass(frozen=True, slots=True)
class MaskedModel:
    """The model that a mask was made for.

    ``fingerprint`` covers its weights, configuration, tokenizer and dtype. ``kinds`` are those of its players, by
    layer.
    """

    __pydantic_config__: ClassVar = _STRICT
    name: str
    source: str
    revision: str | None
    fingerprint: str
    dtype: str
    family: str
    kinds: Annotated[tuple[_LayerKinds, ...], pydantic.Field(min_length=1, max_length=LAYERS_BOUND)]

    @property
    def layers(self) -> int:
        return len(self.kinds)

    @property
    def players(self) -> tuple[Player, ...]:
        return players_of(self.kinds)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """What a mask of version 1 has in place of ``kinds``: its model has an attention and this ``ffn`` in each layer."""

    layers: Annotated[int, pydantic.Field(ge=1, le=LAYERS_BOUND)]
    ffn: Literal["ffn", "moe"]


@dataclass(frozen=True, slots=True)
class RemovedPlayer:
    """A player that the mask removes: its number in natural order, and its displayed name."""

    __pydantic_config__: ClassVar = _STRICT
    number: _Count
    label: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The measured cost of the removal: the mean over ``tasks`` of ``value``, over ``n`` documents in total.

    ``drop`` = intact - score, paired by document. Bounds are those of 95% intervals, None if there are too few
    documents for one. ``documents`` says whether these documents chose the mask, which makes their score too good, or
    were held out. ``how`` describes in words how the mask was found.
    """

    __pydantic_config__: ClassVar = _STRICT
    tasks: tuple[str, ...]
    value: str
    documents: Literal["chosen by these", "held out"]
    n: pydantic.PositiveInt
    intact: float
    score: float
    score_low: float | None
    score_high: float | None
    drop: float
    drop_low: float
    drop_high: float
    how: str


@dataclass(frozen=True, slots=True)
class Saved:
    """Numbers of parameters, all and per token; see ``core.engine.parameters.Parameters``."""

    __pydantic_config__: ClassVar = _STRICT
    removed: _Count
    total: _Count
    removed_per_token: _Count
    total_per_token: _Count


@dataclass(frozen=True, slots=True)
class Mask:
    """The players to remove from a model, in the order of their numbers."""

    __pydantic_config__: ClassVar = _STRICT
    model: MaskedModel
    removed: tuple[RemovedPlayer, ...]
    evidence: tuple[Evidence, ...]
    parameters: Saved
    format: Literal["cornerstone mask"] = "cornerstone mask"
    version: Literal[2] = field(default=VERSION)

    @property
    def numbers(self) -> Removed:
        return tuple(player.number for player in self.removed)


def mask_of(model: MaskedModel, removed: Removed, evidence: tuple[Evidence, ...], parameters: Saved) -> Mask:
    """Return a mask that removes the players ``removed``."""
    return Mask(
        model, tuple(RemovedPlayer(number, model.players[number].label) for number in removed), evidence, parameters
    )


def read(path: Path | str) -> Mask:
    """Read a mask file.

    Raises:
        CornerstoneError: the file cannot be read, is not a mask, has another version, or contradicts itself.
    """
    path = Path(path)
    try:
        content = load_json(read_small(path, f"the mask {path}", _MOST_BYTES))
    except FileNotFoundError as error:
        raise CornerstoneError(f"cannot read the mask {path}: {error.strerror}") from error
    except ValueError as error:
        raise CornerstoneError(f"{path} is not a mask file: it is not JSON ({error})") from error
    if not isinstance(content, dict) or content.get("format") != "cornerstone mask":
        raise CornerstoneError(f'{path} is not a mask file: it has no "format": "cornerstone mask"')
    version = content.get("version")
    if type(version) is not int or not 1 <= version <= VERSION:
        raise CornerstoneError(
            f"{path} is a mask of version {short_repr(version)}, but this program reads versions 1 to {VERSION}; "
            "update cornerstone, or make the mask again"
        )
    try:
        mask = pydantic.TypeAdapter(Mask).validate_python(_by_layer(content))
    except pydantic.ValidationError as error:
        raise CornerstoneError(f"{path} is not a complete mask: {_fault(error)}") from error
    _refuse_contradictions(path, mask)
    return mask


def _by_layer(content: dict[str, Any]) -> dict[str, Any]:
    """Return a mask's content as this version writes it.

    Raises:
        pydantic.ValidationError: it is of version 1, and lacks what such masks say of their layers.
    """
    model = content.get("model")
    if content["version"] == VERSION or not isinstance(model, dict):
        return {**content, "version": VERSION}
    names = [each.name for each in fields(_Pairs)]
    told = {"model": {name: model[name] for name in names if name in model}}
    pairs = pydantic.TypeAdapter(dict[str, _Pairs]).validate_python(told)["model"]
    kinds: Kinds = (("attn", pairs.ffn),) * pairs.layers
    others = {name: value for name, value in model.items() if name not in names}
    return {**content, "version": VERSION, "model": {**others, "kinds": kinds}}


def write(mask: Mask, path: Path, *, force: bool = False) -> None:
    """Write a mask file, which is complete or absent.

    Raises:
        CornerstoneError: the file exists and may not be replaced, or it cannot be written.
    """
    order = ("format", "version", "model", "removed", "evidence", "parameters")
    content = asdict(mask)
    text = pydantic_core.to_json({key: content[key] for key in order}, indent=1, inf_nan_mode="null")
    with whole_file(path, force=force) as fresh:
        fresh.write_bytes(text + b"\n")


def _fault(error: pydantic.ValidationError) -> str:
    """Describe the first validation error in words."""
    fault: Any = error.errors()[0]
    place = ".".join(map(str, fault["loc"]))
    verdict = {"missing": "is missing", "unexpected_keyword_argument": "is not known"}.get(fault["type"])
    return f"{place} {verdict}" if verdict else f"{place}: {str(fault['msg']).removeprefix('Input ')}"


def _refuse_contradictions(path: Path, mask: Mask) -> None:
    """Refuse players that are unsorted, that the model does not have, or that have a wrong name."""
    players, numbers = mask.model.players, mask.numbers
    if list(numbers) != sorted(set(numbers)):
        raise CornerstoneError(f"{path}: the removed players must be sorted by number, each once")
    for player in mask.removed:
        if player.number >= len(players):
            raise CornerstoneError(
                f"{path} removes player {player.number}, but a model of {mask.model.layers} layers has players 0 to "
                f"{len(players) - 1}"
            )
        if players[player.number].label != player.label:
            raise CornerstoneError(
                f"{path} calls player {player.number} {short_repr(player.label)}, but it is "
                f"{players[player.number].label}"
            )
