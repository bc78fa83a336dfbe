"""Fetch the offloaded weights of the next layer while this one computes.

A thread reads them from the disk or from host memory. For a CUDA device it copies them through pinned memory on a
stream of its own, so that the copy runs beside the layer's products.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import torch
from accelerate.hooks import AlignDevicesHook
from accelerate.utils import named_module_tensors
from torch import Tensor, nn

from core.engine.offloaded import Fetched, is_out
from core.machine.free_memory import free_memory

THREAD: Final = "weights"
"""What the names of the threads begin with."""

_PAGE: Final = 4096
_ROOM: Final = 0.5
"""Largest part of the free memory that a layer may take before its time."""

_FAULTS: Final = (OSError, RuntimeError, MemoryError)
"""What reading and allocating raise. The weights are then fetched when they are needed, which tells the reason."""


@dataclass(frozen=True, slots=True)
class _Brought:
    """A layer's weights where they are needed; ``copied`` tells of each CUDA device when it has them all."""

    weights: Fetched
    copied: Mapping[torch.device, torch.cuda.Event]


class Ahead:
    """Keeps the weights of one layer that comes next.

    One at most: a sweep that interrupts another takes the place of what that one had fetched.
    """

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        self._layers = layers
        self._thread: ThreadPoolExecutor | None = None
        self._lanes: dict[torch.device, torch.cuda.Stream] = {}
        self._next: tuple[int, Future[_Brought]] | None = None

    @contextmanager
    def fetching(self) -> Iterator[None]:
        """Fetch ahead inside the block; a block inside another one changes nothing."""
        if self._thread is not None:
            yield
            return
        with ThreadPoolExecutor(1, THREAD) as thread:
            self._thread = thread
            try:
                yield
            finally:
                self._next = self._thread = None

    def begin(self, index: int) -> None:
        """Begin to fetch a layer, if there is such a layer, its weights are offloaded, and memory is free for them."""
        self._next = None
        if self._thread is None or index >= len(self._layers):
            return
        layer = self._layers[index]
        if (needed := _bytes_out(layer)) and needed <= _ROOM * free_memory():
            self._next = (index, self._thread.submit(self._bring, layer))

    def taken(self, index: int) -> Fetched:
        """Return the weights of a layer by module; none if they were not fetched ahead."""
        kept, self._next = self._next, None
        if kept is None or kept[0] != index:
            return {}
        with suppress(*_FAULTS):
            brought = kept[1].result()
            _hand_over(brought)
            return brought.weights
        return {}

    def _bring(self, layer: nn.Module) -> _Brought:
        """Fetch a layer's offloaded weights. Runs in the thread."""
        weights: Fetched = {}
        for module in filter(is_out, layer.modules()):
            hook = vars(module)["_hf_hook"]
            found, place = _offloaded(module, hook), torch.device(hook.execution_device)
            if place.type == "cuda":
                weights[module] = self._copied(found, place)
            else:
                weights[module] = {name: _read(tensor, place) for name, tensor in found.items()}
        return _Brought(weights, {lane.device: lane.record_event() for lane in self._lanes.values()})

    def _copied(self, found: Mapping[str, Tensor], place: torch.device) -> dict[str, Tensor]:
        """Begin to copy weights to a CUDA device, on the stream that this thread has there."""
        if place not in self._lanes:
            self._lanes[place] = torch.cuda.Stream(place)  # type: ignore[no-untyped-call]
        with torch.cuda.stream(self._lanes[place]):
            return {name: tensor.pin_memory().to(place, non_blocking=True) for name, tensor in found.items()}


def _bytes_out(layer: nn.Module) -> int:
    """Return the bytes of a layer's offloaded weights."""
    weights = (weight for module in layer.modules() if is_out(module) for weight in module.parameters(recurse=False))
    return sum(weight.numel() * weight.element_size() for weight in weights)


def _offloaded(module: nn.Module, hook: AlignDevicesHook) -> dict[str, Tensor]:
    """Return a module's weights from where they are kept, in the dtype that the module has.

    Integers stay away, as the hook has rules of its own for them.
    """
    names = named_module_tensors(
        module, include_buffers=hook.offload_buffers, recurse=hook.place_submodules, remove_non_persistent=True
    )
    found = {}
    for name, there in names:
        kept = hook.weights_map[name]
        if kept is not None and kept.is_floating_point() and there.is_floating_point():
            found[name] = kept.to(there.dtype)
    return found


def _read(tensor: Tensor, place: torch.device) -> Tensor:
    """Bring a tensor to a device that is no CUDA device; of a tensor in a mapped file, touch every page."""
    tensor.reshape(-1).view(torch.uint8)[::_PAGE].sum()
    return tensor.to(place)


def _hand_over(brought: _Brought) -> None:
    """Have the stream that computes wait for the copies, and keep their memory until it has used them."""
    for each in brought.weights.values():
        for tensor in each.values():
            if tensor.device in brought.copied:
                stream = torch.cuda.current_stream(tensor.device)
                stream.wait_event(brought.copied[tensor.device])
                tensor.record_stream(stream)
