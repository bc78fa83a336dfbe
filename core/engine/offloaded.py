"""Fetch offloaded weights once for a block of work, instead of once for each call of a module."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import MappingProxyType
from typing import Final

from accelerate.utils import align_module_device, has_offloaded_params
from torch import Tensor, nn

from core.engine.removal import forward_replaced

Fetched = dict[nn.Module, dict[str, Tensor]]
"""Offloaded weights on the devices that use them: of each module, by name."""

_NONE: Final[Mapping[nn.Module, dict[str, Tensor]]] = MappingProxyType({})


@contextmanager
def brought_in(modules: Iterable[nn.Module], fetched: Mapping[nn.Module, dict[str, Tensor]] = _NONE) -> Iterator[None]:
    """Fetch offloaded weights once for the block; otherwise accelerate's hooks fetch them at every call of a module.

    Weights that are present already belong to a sweep that this one interrupts; they stay after the block. Those in
    ``fetched`` are taken as they are.
    """
    with ExitStack() as stack:
        for module in filter(is_out, modules):
            with _found_in(module, fetched.get(module, {})):
                stack.enter_context(align_module_device(module))
            stack.enter_context(forward_replaced(module, vars(module)["_old_forward"]))
        yield


def is_out(module: nn.Module) -> bool:
    """Return whether a module's own weights are offloaded and not present."""
    return has_offloaded_params(module) and any(parameter.is_meta for parameter in module.parameters())


@contextmanager
def _found_in(module: nn.Module, fetched: dict[str, Tensor]) -> Iterator[None]:
    """Have the hook of a module find these weights first, inside the block."""
    hook = vars(module)["_hf_hook"]
    kept = hook.weights_map
    if fetched:
        hook.weights_map = ChainMap(fetched, kept)
    try:
        yield
    finally:
        hook.weights_map = kept
