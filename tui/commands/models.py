"""`cornerstone models`: the aliases, or what one model is."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import asdict
from textwrap import wrap
from types import MappingProxyType
from typing import Final

from core.machine.byte_count import in_bytes
from core.models.aliases import aliases, cached
from core.models.describe import Description, describe
from core.models.layout import Way
from tui.commands.catalog import Entry, print_entries
from tui.commands.stdout import print_text
from tui.drawing.numbers import whole
from tui.drawing.plain import plain

_LABEL_WIDTH: Final = 12
_NARROWEST: Final = 20
_WAYS: Final = MappingProxyType[Way, str](
    {
        "packed": "packed: requests share rows",
        "mixed": "mixed: requests share rows, but some layers take each request by itself",
        "unpacked": "unpacked: each request has a row of its own",
        "whole": "whole: the whole model runs once for each coalition",
    }
)


def print_models(*, as_json: bool) -> None:
    """Print the aliases, whether each is cached, and what else can name a model."""
    if as_json:
        print_text(
            json.dumps([{**alias.model_dump(), "cached": cached(alias)} for alias in aliases()], indent=1) + "\n"
        )
        return
    entries: list[Entry] = [("model", "download", "cached", "what")]
    for alias in aliases():
        size = "" if alias.download_mb is None else in_bytes(alias.download_mb * 10**6)
        entries.append((alias.name, size, "yes" if cached(alias) else "no", alias.description))
    print_entries(entries)
    print("a hub id, a local safetensors folder or a .gguf file names a model too", file=sys.stderr)


def print_model(name: str, *, revision: str | None, offline: bool, as_json: bool) -> None:
    """Print what a model is.

    Raises:
        CornerstoneError: there is no such model, or its files are no model.
    """
    found = describe(name, revision=revision, offline=offline)
    if as_json:
        print_text(json.dumps(asdict(found), indent=1) + "\n")
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    print_text("".join(f"{line}\n" for label, text in _facts(found) for line in _lines(label, plain(text), width)))


def _facts(found: Description) -> Iterator[tuple[str, str]]:
    """Yield what is known of a model, as a label and a text each."""
    yield "model", found.model
    if found.description is not None:
        yield "what", found.description
    yield "source", found.source
    yield "architecture", found.architecture or "not known"
    yield "layers", "not known" if found.layers is None else f"{whole(found.layers)}"
    yield "players", _players(found)
    if found.parameters is not None:
        yield "parameters", f"{whole(found.parameters)}"
    if found.quantized is not None:
        yield "quantized", found.quantized
    yield "size", _size(found)
    yield "cached", "yes" if found.cached else "no"
    if found.refused is not None:
        yield "refused", found.refused
        return
    for place, way in found.ways.items():
        yield "evaluated", f"{_WAYS[way]} ({place})"
    if not found.ways:
        yield "evaluated", "found out when it is first loaded"


def _players(found: Description) -> str:
    if not found.players:
        return "found out when it is first loaded"
    kinds = ", ".join(f"{count} {kind}" for kind, count in found.players.items())
    return f"{sum(found.players.values())} ({kinds})"


def _size(found: Description) -> str:
    sizes = ((found.bytes, "on this machine"), (found.download_bytes, "to download"))
    return ", ".join(f"{in_bytes(size)} {where}" for size, where in sizes if size is not None) or "not known"


def _lines(label: str, text: str, width: int | None) -> Iterator[str]:
    """Yield the lines of a fact, wrapped to a terminal's width."""
    room = None if width is None else max(width - _LABEL_WIDTH - 2, _NARROWEST)
    first, *rest = [text] if room is None else wrap(text, room) or [""]
    yield f"{label:<{_LABEL_WIDTH}}  {first}".rstrip()
    yield from (f"{'':<{_LABEL_WIDTH}}  {line}" for line in rest)
