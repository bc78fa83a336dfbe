"""The decoder layers of a model in memory, found where its family has them."""

from __future__ import annotations

from torch import nn
from transformers import PreTrainedModel

from core.errors import CornerstoneError
from core.models.families import Family


def decoder_layers(model: PreTrainedModel, family: Family) -> list[nn.Module]:
    """The decoder layers in order of depth, of a model with or without its head.

    Raises:
        CornerstoneError: they are not where the family has them.
    """
    paths = (family.layers, family.layers.partition(".")[2])
    modules = dict(model.named_modules())
    layers = next((found for path in paths if isinstance(found := modules.get(path), nn.ModuleList)), None)
    if layers is None:
        raise CornerstoneError(f"{type(model).__name__} has no decoder layers at {' or '.join(paths)}")
    return list(layers)
