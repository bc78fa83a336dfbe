"""Find the decoder layers of a loaded model."""

from __future__ import annotations

from typing import Any

from torch import nn

from core.errors import CornerstoneError

Make = tuple[tuple[Any, ...], tuple[Any, ...]]
"""How a layer is made."""


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


def make_of(layer: nn.Module) -> Make:
    """Return how a layer is made: its classes, and the shapes of its weights."""
    return (
        tuple((path, type(module)) for path, module in layer.named_modules()),
        tuple((name, tuple(weight.shape)) for name, weight in layer.named_parameters()),
    )
