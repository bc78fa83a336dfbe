"""How much of a model's weights a token meets: of a mixture of experts, only those that it is routed to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from torch import nn

from core.models.layout import Experts

_EXPERTS: Final = (
    "num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts", "num_routed_experts",
)  # fmt: skip
_CHOSEN: Final = (
    "num_experts_per_tok", "num_experts_per_token", "moe_topk", "moe_top_k", "moe_k", "top_k_experts",
)  # fmt: skip


def shares_met(module: nn.Module, config: Any) -> Iterator[tuple[nn.Parameter, float]]:
    """Yield each parameter of a module, and the part of it that one token meets.

    Experts are either tensors with an expert on the first of three axes, or lists of modules, one for each expert.
    """
    experts, chosen = _number(config, _EXPERTS), _number(config, _CHOSEN)
    part = min(chosen / experts, 1.0) if experts and chosen else 1.0
    listed = _listed(module, experts)
    for name, parameter in module.named_parameters():
        stacked = parameter.dim() == 3 and experts == parameter.shape[0]
        yield parameter, part if stacked or any(name.startswith(f"{path}.") for path in listed) else 1.0


def stacks_of(layer: nn.Module, experts: Experts) -> list[nn.Module]:
    """Return the modules of a layer that hold the weights of its experts.

    Products in turn are modules of one class beside each other, of which the last is the module of the experts.
    """
    module = layer.get_submodule(experts.path)
    if experts.form != "sorted":
        return [module]
    above = layer.get_submodule(experts.path.rpartition(".")[0])
    return [child for child in above.children() if type(child) is type(module)]


def _listed(module: nn.Module, experts: int | None) -> list[str]:
    """Return the paths of lists of as many modules as there are experts."""
    return [
        path
        for path, each in module.named_modules()
        if isinstance(each, nn.ModuleList) and len(each) == experts and "expert" in path.rpartition(".")[2]
    ]


def _number(config: Any, names: tuple[str, ...]) -> int | None:
    """Return the first of some settings that a configuration has; of several, one for each layer, the first."""
    for name in names:
        value = getattr(config, name, None)
        value = value[0] if isinstance(value, list) and value else value
        if type(value) is int and value > 0:
            return value
    return None
