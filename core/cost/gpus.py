"""GPUs by name: the speed of dense 16-bit products and the memory, as their makers state them. Light to import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.errors import CornerstoneError


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU: operations a second of dense products in bfloat16 or float16 (added in float32), and bytes of memory."""

    name: str
    flops: float
    memory: float


_GIB: Final = 2**30
_TERA: Final = 1e12

GPUS: Final = tuple(
    Gpu(name, tera * _TERA, gib * _GIB)
    for name, tera, gib in (
        ("A10", 125, 24),
        ("A100-40GB", 312, 40),
        ("A100-80GB", 312, 80),
        ("B200", 2250, 180),
        ("H100-SXM", 989, 80),
        ("H100-PCIe", 756, 80),
        ("H200", 989, 139),
        ("L4", 121, 24),
        ("L40S", 362, 48),
        ("MI300X", 1307, 192),
        ("RTX-3090", 71, 24),
        ("RTX-4090", 165, 24),
        ("RTX-5090", 209, 32),
        ("T4", 65, 16),
        ("V100-32GB", 125, 32),
    )
)


def gpu_named(name: str) -> Gpu:
    """Return the GPU of a name, however it is written: the one called so, else the only one whose name begins so.

    Raises:
        CornerstoneError: none is called so, or the names of several begin so.
    """
    asked = _plain(name)
    called = [gpu for gpu in GPUS if _plain(gpu.name) == asked]
    found = called or [gpu for gpu in GPUS if asked and _plain(gpu.name).startswith(asked)]
    if not found:
        raise CornerstoneError(
            f"no GPU {name!r} is known here: give the speed of its products, or one of {_names(GPUS)}"
        )
    if len(found) > 1:
        raise CornerstoneError(f"{name!r} may be any of {_names(found)}: give the whole name of one")
    return found[0]


def _names(gpus: Sequence[Gpu]) -> str:
    return ", ".join(gpu.name for gpu in gpus)


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum()).removeprefix("nvidia")
