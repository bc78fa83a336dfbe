"""Plugins: other installed packages that add estimators, values, tables and formats to Cornerstone.

A package takes part through an entry point in the group ``cornerstone.plugins``. The entry point names a module or an
object, which may have sequences called ``estimators``, ``values``, ``tables`` and ``formats``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, Literal

from core.errors import CornerstoneError

GROUP: Final = "cornerstone.plugins"
"""The entry-point group that packages use."""

SWITCH: Final = "CORNERSTONE_PLUGINS"
"""The environment variable that turns all plugins off where it is ``off``."""

Kind = Literal["estimators", "values", "tables", "formats"]
"""The kinds of things that a plugin may add."""


@dataclass(frozen=True, slots=True)
class _Plugin:
    """A loaded entry point: the object, its name in errors, and its package."""

    title: str
    package: str
    loaded: object


@cache
def contributed(kind: Kind) -> tuple[Any, ...]:
    """Return everything of one kind that plugins add, in the order of their entry points' names.

    Args:
        kind: the attribute of the plugins to read. The caller checks its content.

    Raises:
        CornerstoneError: a plugin cannot be loaded, or its attribute is no list or tuple.
    """
    return tuple(one for plugin in _plugins() for one in _attribute(plugin, kind))


def _attribute(plugin: _Plugin, kind: Kind) -> Sequence[Any]:
    found = getattr(plugin.loaded, kind, ())
    if not isinstance(found, list | tuple):
        what = f"{plugin.title} cannot be used: its {kind!r} is a {type(found).__name__}, not a list or tuple"
        raise CornerstoneError(f"{what}; {_remedy(plugin.package)}")
    return found


@cache
def _plugins() -> tuple[_Plugin, ...]:
    if os.environ.get(SWITCH, "").strip().lower() == "off":
        return ()
    found = sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))
    return tuple(_load(entry) for entry in found)


def _load(entry: EntryPoint) -> _Plugin:
    package = entry.dist.name if entry.dist else entry.module
    title = f"the plugin {entry.name!r} of the package {package}"
    try:
        return _Plugin(title, package, entry.load())
    except Exception as error:  # code of others, which may raise anything
        what = f"{title} does not load ({type(error).__name__}: {error})"
        raise CornerstoneError(f"{what}; {_remedy(package)}") from error


def _remedy(package: str) -> str:
    return f"mend or uninstall {package}, or start without plugins: set the environment variable {SWITCH}=off"
