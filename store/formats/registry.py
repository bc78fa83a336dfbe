"""All formats by name: those of this folder, then those of plugins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any, Final

import store.formats as folder
from core.errors import CornerstoneError
from core.plugins import contributed
from store.formats.format import Format

RESERVED: Final = "table"
"""The name that no format may have: it stands for the table that is drawn in a terminal."""


def formats() -> Mapping[str, Format]:
    """Return every format by its name: the built-in ones, text first, then those of plugins.

    Raises:
        CornerstoneError: a plugin does not load, adds something that is no format, or a name or ending that is taken.
    """
    found = {one.name: one for one in built_in()}
    for one in contributed("formats"):
        _refuse_misfit(one, found)
        found[one.name] = one
    return MappingProxyType(found)


@cache
def built_in() -> tuple[Format, ...]:
    """Return the ``FORMAT`` of every module of this folder that has one: text formats first, then by name."""
    modules = [import_module(f"{folder.__name__}.{module.name}") for module in iter_modules(folder.__path__)]
    found: list[Format] = [module.FORMAT for module in modules if hasattr(module, "FORMAT")]
    return tuple(sorted(found, key=lambda one: (not one.text, one.name)))


def format_named(name: str) -> Format:
    """Return the format of that name.

    Raises:
        CornerstoneError: there is none; the sentence lists those that there are.
    """
    known = formats()
    if name not in known:
        raise CornerstoneError(no_format(name, known))
    return known[name]


def format_of(path: Path) -> Format | None:
    """Return the format whose files end as ``path`` does, in either case of letters; None where there is none."""
    return next((one for one in formats().values() if path.suffix.lower() in one.endings), None)


def no_format(name: str, known: Iterable[str]) -> str:
    """Return the sentence that refuses ``name``, with the ``known`` names and the one that was probably meant."""
    names = list(known)
    close = get_close_matches(name, names, n=1)
    return f"no format {name!r}; there is {', '.join(names)}" + (f"; did you mean {close[0]}?" if close else "")


def _refuse_misfit(one: Any, found: Mapping[str, Format]) -> None:
    """Refuse what a plugin adds if it is no format or cannot be told from another."""
    if not isinstance(one, Format):
        raise CornerstoneError(f"a plugin adds {one!r} as a format, which is no Format; mend or uninstall that plugin")
    if one.name in found or one.name == RESERVED:
        raise CornerstoneError(f"a plugin adds a format {one.name!r}, a name that is taken; rename it in that plugin")
    taken = {ending: other.name for other in found.values() for ending in other.endings}
    for ending in one.endings:
        if ending in taken:
            what = f"a plugin adds a format {one.name!r} for {ending} files, which {taken[ending]} has"
            raise CornerstoneError(f"{what}; choose another ending in that plugin")
