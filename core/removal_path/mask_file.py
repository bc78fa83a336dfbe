"""A mask file: which layers of which model may go, and the evidence for it. JSON, light to import.

To apply one to a model see ``core.mask``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Final, Literal

import pydantic
import pydantic_core

from core.coalitions.players import Player, PlayerKind, Removed, players_of
from core.errors import CornerstoneError
from core.machine.atomic_file import whole_file

VERSION: Final = 1
_STRICT: Final = pydantic.ConfigDict(extra="forbid")
_Count = pydantic.NonNegativeInt


@dataclass(frozen=True, slots=True)
class MaskedModel:
    """The model that a mask was made for; ``fingerprint`` covers its weights, configuration, tokenizer and dtype."""

    __pydantic_config__: ClassVar = _STRICT
    name: str
    source: str
    revision: str | None
    fingerprint: str
    dtype: str
    family: str
    layers: pydantic.PositiveInt
    ffn: Literal["ffn", "moe"]

    @property
    def players(self) -> tuple[Player, ...]:
        kinds: tuple[PlayerKind, PlayerKind] = ("attn", self.ffn)
        return players_of(kinds * self.layers)


@dataclass(frozen=True, slots=True)
class RemovedPlayer:
    """A player that the mask removes: its number in natural order, and the name a person reads."""

    __pydantic_config__: ClassVar = _STRICT
    number: _Count
    label: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the removal costs, as measured: the mean over ``tasks`` of ``value``, over ``n`` documents in all.

    ``drop`` = intact - score, paired by document. Bounds are those of 95% intervals, None where one document does not
    tell. ``documents`` says whether the mask was chosen by these documents, which makes their score too good, or not.
    ``how`` is in words.
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
    """Parameters, all and those that one token meets; see ``core.engine.parameters.Parameters``."""

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
    """A mask that removes the players ``removed``."""
    return Mask(
        model, tuple(RemovedPlayer(number, model.players[number].label) for number in removed), evidence, parameters
    )


def read(path: Path | str) -> Mask:
    """Read a mask file.

    Raises:
        CornerstoneError: the file cannot be read, is no mask, is of another version, or contradicts itself.
    """
    path = Path(path)
    try:
        content = pydantic_core.from_json(path.read_bytes())
    except OSError as error:
        raise CornerstoneError(f"cannot read the mask {path}: {error.strerror}") from error
    except ValueError as error:
        raise CornerstoneError(f"{path} is no mask file: it is not JSON ({error})") from error
    if not isinstance(content, dict) or content.get("format") != "cornerstone mask":
        raise CornerstoneError(f'{path} is no mask file: it has no "format": "cornerstone mask"')
    if content.get("version") != VERSION:
        raise CornerstoneError(
            f"{path} is a mask of version {content.get('version')!r}, and this program reads version {VERSION}; "
            "update cornerstone, or make the mask again"
        )
    try:
        mask = pydantic.TypeAdapter(Mask).validate_python(content)
    except pydantic.ValidationError as error:
        raise CornerstoneError(f"{path} is no whole mask: {_fault(error)}") from error
    _refuse_contradictions(path, mask)
    return mask


def write(mask: Mask, path: Path, *, force: bool = False) -> None:
    """Write a mask file, which is there as a whole or not at all.

    Raises:
        CornerstoneError: the file is there and may not be replaced, or it cannot be written.
    """
    order = ("format", "version", "model", "removed", "evidence", "parameters")
    content = asdict(mask)
    text = pydantic_core.to_json({key: content[key] for key in order}, indent=1, inf_nan_mode="null")
    with whole_file(path, force=force) as fresh:
        fresh.write_bytes(text + b"\n")


def _fault(error: pydantic.ValidationError) -> str:
    fault: Any = error.errors()[0]
    place = ".".join(map(str, fault["loc"]))
    said = {"missing": "is missing", "unexpected_keyword_argument": "is not known"}.get(fault["type"])
    return f"{place} {said}" if said else f"{place}: {str(fault['msg']).removeprefix('Input ')}"


def _refuse_contradictions(path: Path, mask: Mask) -> None:
    players, numbers = mask.model.players, mask.numbers
    if list(numbers) != sorted(set(numbers)):
        raise CornerstoneError(f"{path}: the removed players must be sorted by number, each once")
    for player in mask.removed:
        if player.number >= len(players):
            raise CornerstoneError(
                f"{path} removes player {player.number}, and a model of {mask.model.layers} layers has players 0 to "
                f"{len(players) - 1}"
            )
        if players[player.number].label != player.label:
            raise CornerstoneError(
                f"{path} calls player {player.number} {player.label!r}, and it is {players[player.number].label}"
            )
