"""Find the decoder layers of a loaded model."""

from __future__ import annotations

from typing import Any

from torch import nn

from core.errors import CornerstoneError
from core.models.families import family_of, layout_in_table
from core.models.layout import Layout


def decoder_layers(model: nn.Module, path: str) -> list[nn.Module]:
    """Return the decoder layers in order of depth, of a model with or without its language-model head.

    Args:
        model: the model.
        path: the dotted path of its list of layers, from the model with its head.

    Raises:
        CornerstoneError: the model has no layers at that path.
    """
    paths = (path, path.partition(".")[2])
    modules = dict(model.named_modules())
    layers = next((found for each in paths if isinstance(found := modules.get(each), nn.ModuleList)), None)
    if layers is None:
        raise CornerstoneError(f"{type(model).__name__} has no decoder layers at {' or '.join(paths)}")
    return list(layers)


def table_layout(model: Any) -> Layout:
    """Return the layout of a model of a family in the table.

    Raises:
        CornerstoneError: its architecture is not in the table, or it cannot be evaluated with a sublayer removed.
    """
    return layout_in_table(model.config, len(decoder_layers(model, family_of(model.config).layers)))
