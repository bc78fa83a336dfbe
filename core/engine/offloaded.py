"""Fetch offloaded weights once for a block of work, instead of once for each call of a module."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager

from accelerate.utils import align_module_device, has_offloaded_params
from torch import nn

from core.engine.removal import forward_replaced


@contextmanager
def brought_in(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Fetch offloaded weights once for the block; otherwise accelerate's hooks fetch them at every call of a module.

    Weights that are present already belong to a sweep that this one interrupts; they stay after the block.
    """
    with ExitStack() as stack:
        for module in filter(_is_out, modules):
            stack.enter_context(align_module_device(module))
            stack.enter_context(forward_replaced(module, vars(module)["_old_forward"]))
        yield


def _is_out(module: nn.Module) -> bool:
    return has_offloaded_params(module) and any(parameter.is_meta for parameter in module.parameters())
