"""Mask files: the layers to remove from a model, and the evidence for it. JSON, light to import.

``core.mask`` applies a mask to a model.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal

import pydantic
import pydantic_core

from core.coalitions.players import Player, PlayerKind, Removed, players_of
from core.errors import CornerstoneError
from core.machine.atomic_file import whole_file
from core.machine.json_text import load_json
from core.machine.plain_text import short_repr
from core.machine.small_file import read_small

VERSION: Final = 1
_STRICT: Final = pydantic.ConfigDict(extra="forbid", allow_inf_nan=False)
_MOST_BYTES: Final = 2**24
_MOST_LAYERS: Final = 10_000
_Count = Annotated[int, pydantic.Field(ge=0, lt=2**63)]


@dataclass(frozen=True, slots=True)
class MaskedModel:
    """The model that a mask was made for.

    ``fingerprint`` covers its weights, configuration, tokenizer and dtype.
    """

    __pydantic_config__: ClassVar = _STRICT
    name: str
    source: str
    revision: str | None
    fingerprint: str
    dtype: str
    family: str
    layers: Annotated[int, pydantic.Field(ge=1, le=_MOST_LAYERS)]
    ffn: Literal["ffn", "moe"]

    @property
    def players(self) -> tuple[Player, ...]:
        kinds: tuple[PlayerKind, PlayerKind] = ("attn", self.ffn)
        return players_of(kinds * self.layers)


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
    version: Literal[1] = field(default=VERSION)

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
    if content.get("version") != VERSION:
        raise CornerstoneError(
            f"{path} is a mask of version {short_repr(content.get('version'))}, but this program reads version "
            f"{VERSION}; "
            "update cornerstone, or make the mask again"
        )
    try:
        mask = pydantic.TypeAdapter(Mask).validate_python(content)
    except pydantic.ValidationError as error:
        raise CornerstoneError(f"{path} is not a complete mask: {_fault(error)}") from error
    _refuse_contradictions(path, mask)
    return mask


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
