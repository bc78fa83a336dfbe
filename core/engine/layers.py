"""Find the decoder layers of a loaded model, at the path that its family names."""

from __future__ import annotations

from torch import nn
from transformers import PreTrainedModel

from core.errors import CornerstoneError
from core.models.families import Family


def decoder_layers(model: PreTrainedModel, family: Family) -> list[nn.Module]:
    """Return the decoder layers in order of depth, of a model with or without its language-model head.

    Raises:
        CornerstoneError: the model has no layers at the family's path.
    """
    paths = (family.layers, family.layers.partition(".")[2])
    modules = dict(model.named_modules())
    layers = next((found for path in paths if isinstance(found := modules.get(path), nn.ModuleList)), None)
    if layers is None:
        raise CornerstoneError(f"{type(model).__name__} has no decoder layers at {' or '.join(paths)}")
    return list(layers)
