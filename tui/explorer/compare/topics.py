"""The topics of the compare screen: a tab each, with the function that reads its view."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from tui.explorer.compare.view import Asked, View

Work = Literal["path", "proxies"]


@dataclass(frozen=True, slots=True)
class Topic:
    """One tab. ``read`` opens the store, so a worker calls it. ``work`` is what the evaluator can do for it."""

    title: str
    read: Callable[[Asked], View]
    work: Work | None = None


def _scores(asked: Asked) -> View:
    from tui.explorer.compare.scores import read_scores

    return read_scores(asked)


def _paper(asked: Asked) -> View:
    from tui.explorer.compare.paper import read_paper_view

    return read_paper_view(asked)


def _shares(asked: Asked) -> View:
    from tui.explorer.compare.shares import read_shares

    return read_shares(asked)


def _pairs(asked: Asked) -> View:
    from tui.explorer.compare.pairs import read_model_pairs

    return read_model_pairs(asked)


def _estimators(asked: Asked) -> View:
    from tui.explorer.compare.estimators import read_estimators

    return read_estimators(asked)


def _proxies(asked: Asked) -> View:
    from tui.explorer.compare.proxies import read_proxies

    return read_proxies(asked)


def _path(asked: Asked) -> View:
    from tui.explorer.compare.path import read_path

    return read_path(asked)


TOPICS: Final[Mapping[str, Topic]] = MappingProxyType(
    {
        "scores": Topic("Scores", _scores),
        "paper": Topic("Paper", _paper),
        "shares": Topic("Shares", _shares),
        "pairs": Topic("Models", _pairs),
        "estimators": Topic("Estimators", _estimators),
        "proxies": Topic("Proxies", _proxies, "proxies"),
        "path": Topic("Path", _path, "path"),
    }
)
"""By name, in the order of the tabs."""
