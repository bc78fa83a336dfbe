"""The experts of a model without its weights as players: their number by the shapes and the names of its modules."""

from __future__ import annotations

from dataclasses import replace

from torch import nn
from transformers import PreTrainedModel

from core.coalitions.expert_layers import chosen_layers, refuse_too_many
from core.engine.find_experts import count_of, modules_of, stacked
from core.engine.layers import decoder_layers
from core.errors import CornerstoneError
from core.models.layout import Experts, Layer, Layout, Sublayer


def with_named_experts(model: PreTrainedModel, layout: Layout, layers: str, *, told: bool) -> Layout:
    """Return a layout in which the mixtures of some layers are replaced by their routed experts.

    No law is checked, so this serves to count only.

    Args:
        model: the model, with the shapes of its weights.
        layout: its layout, with mixtures as players.
        layers: the layers, as ``core.coalitions.expert_layers`` writes them.
        told: whether its players are known; else the names of its modules suggest them.

    Raises:
        CornerstoneError: the model has no such layers or too many experts, or it does not show what they are.
    """
    chosen = chosen_layers(layers, layout.kinds)
    modules = decoder_layers(model, layout.path)
    made = {index: _with_experts(layout.layers[index], modules[index], index, told=told) for index in chosen}
    refuse_too_many(layers, [layer.experts.count for layer in made.values() if layer.experts is not None])
    return replace(layout, layers=tuple(made.get(index, layer) for index, layer in enumerate(layout.layers)))


def _with_experts(layer: Layer, module: nn.Module, index: int, *, told: bool) -> Layer:
    """Return a layer with its experts as players.

    Where only names tell its players, these have to be a mixer and then a mixture, as in nearly all models: others may
    be parts of one player, or run in another order.
    """
    kinds = [sublayer.kind for sublayer in layer.sublayers]
    usual = kinds == ["moe"] or (len(kinds) == 2 and kinds[0] != "ffn" and kinds[1] == "moe")
    if kinds.count("moe") != 1 or not (told or usual):
        raise _untold(index, "the place of its experts among its players")
    mixture = layer.sublayers[kinds.index("moe")]
    layer = layer.with_experts(_experts(module, mixture, index))
    stays = any("shared" in path or _adds(path, each) for path, each in modules_of(module, mixture))
    return replace(layer, passes=layer.passes and not stays)


def _adds(path: str, module: nn.Module) -> bool:
    """Return whether a mixture as a whole has a vector of its own, such as a bias, which stays without its experts."""
    return "." not in path and any(weight.dim() == 1 for weight in module.parameters(recurse=False))


def _experts(module: nn.Module, mixture: Sublayer, index: int) -> Experts:
    """Return the routed experts of a mixture. The form in which they are called does not show, and does not count."""
    found = {
        count: path
        for path, each in modules_of(module, mixture)
        if "shared" not in path and (stacked(each) or "expert" in path.rpartition(".")[2])
        if (count := count_of(each)) is not None
    }
    if len(found) != 1:
        raise _untold(index, "the number of its experts")
    ((count, path),) = found.items()
    return Experts(path, "indexed", count)


def _untold(index: int, what: str) -> CornerstoneError:
    return CornerstoneError(
        f"the configuration of this model does not tell {what} in layer {index}; run it once with its experts as "
        "players, or leave them out here"
    )
