"""Figures 2 to 6 from stored results, as files by matplotlib."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import CornerstoneError
from tui.drawing.plain import plain
from tui.paper.figures import FigureRows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MIXED = "acc_norm where defined, else acc"


def write_figures(rows: Sequence[FigureRows], form: str, folder: Path, *, force: bool) -> list[Path]:
    """Write one file for Figure 2, and for each model one like Figures 3 to 5 and one like Figure 6.

    Args:
        rows: the rows of the figures.
        form: one of ``tui.figures.save.FORMATS``.
        folder: the folder to write to; created if it does not exist.
        force: replace files that exist.

    Raises:
        CornerstoneError: matplotlib is not installed, nothing is stored, or a file may not or cannot be written.
    """
    if find_spec("matplotlib") is None:
        raise CornerstoneError(f"{form} needs matplotlib, which is not installed: pip install 'cornerstone[figures]'")
    from tui.figures.ablation import ablation_figure
    from tui.figures.save import save
    from tui.figures.shapley import shapley_figure
    from tui.figures.shares import shares_figure

    shapley = [row for one in rows for row in one.shapley]
    drawings: list[tuple[str, Callable[[], Figure]]] = []
    if any(row.share is not None for row in shapley):
        drawings.append(("figure-2-shares", partial(shares_figure, shapley)))
    for model in dict.fromkeys(one.model for one in rows):
        removed = [row for one in rows if one.model == model for row in one.ablation]
        values = [row for one in rows if one.model == model for row in one.shapley]
        if removed:
            drawings.append((f"figure-3-ablation-{_file(model)}", partial(ablation_figure, removed)))
        if values:
            drawings.append((f"figure-6-shapley-{_file(model)}", partial(shapley_figure, values)))
    if not drawings:
        raise CornerstoneError("nothing is stored that a figure could show; `cornerstone run` makes some")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise CornerstoneError(f"{folder} is a file; name a folder for the figures") from error
    except OSError as error:
        raise CornerstoneError(f"cannot create the folder {folder}: {error.strerror}") from error
    mixed = len({one.value for one in rows}) > 1
    paths = []
    for name, draw in drawings:
        drawn = draw()
        if mixed and "shares" not in name:
            drawn.supylabel(_MIXED, fontsize=7)
        paths.append(folder / f"{name}.{form}")
        save(drawn, paths[-1], force=force)
    return paths


def _file(name: str) -> str:
    """Return a name that a file can have."""
    return "".join(char if char.isalnum() or char in "-.@" else "-" for char in plain(name)).strip("-.") or "model"
