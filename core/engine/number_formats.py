"""The number formats in which a CPU multiplies matrices fast: those for which it has instructions."""

from __future__ import annotations

from functools import cache
from typing import Final

import torch

_INSTRUCTIONS: Final = {
    torch.bfloat16: ("avx512_bf16", "amx_bf16"),
    torch.float16: ("avx512_fp16", "amx_fp16"),
}
"""For each 16-bit format the instructions of which one multiplies it. Without one, a product takes far longer."""


@cache
def fast_on_cpu(dtype: torch.dtype) -> bool:
    """Return whether this machine's CPU multiplies numbers of a format at least as fast as float32."""
    if dtype == torch.float32:
        return True
    there = torch.cpu.get_capabilities()
    return any(there.get(name, False) for name in _INSTRUCTIONS.get(dtype, ()))


def fast_formats() -> list[str]:
    """Return the names of the number formats that this machine's CPU multiplies fast, as ``load_model`` takes them."""
    formats = (torch.float32, *_INSTRUCTIONS)
    return [str(dtype).removeprefix("torch.") for dtype in formats if fast_on_cpu(dtype)]
