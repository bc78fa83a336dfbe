"""Every decoder type that transformers has is found as its table says, or refused by the law that it breaks."""

from __future__ import annotations

import gc

import pytest
import torch

from core.engine.verified_layout import layout_of
from core.errors import CornerstoneError
from core.models.families import HINTS
from tests.support.decoder_expected import OF_DECODERS, OF_VARIANTS, OF_WRAPPERS, Expected
from tests.support.decoder_types import tiny_decoder
from tests.support.decoder_variants import VARIANTS

BUILT = {
    **{name: (name, {}) for name in (*OF_DECODERS, *OF_WRAPPERS)},
    **VARIANTS,
}
NOT_BUILT = {"gemma3n", "gemma4_assistant", "gemma4_unified_assistant"}
"""A wrapper that needs timm for its eyes, and draft heads, which are refused before they are loaded."""
EXPECTED = {**OF_DECODERS, **OF_WRAPPERS, **OF_VARIANTS}


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", sorted(set(EXPECTED) - NOT_BUILT))
def test_every_type_is_found_as_its_table_says(name: str, dtype: torch.dtype) -> None:
    expected, (kind, settings) = EXPECTED[name], BUILT[name]
    gc.collect()  # models have cycles
    model = tiny_decoder(kind, **settings).to(dtype)
    if expected.refused:
        with pytest.raises(CornerstoneError, match=expected.refused):
            layout_of(model, HINTS)
        return
    found = Expected.of(layout_of(model, HINTS))
    assert (found.kinds, found.parts) == (expected.kinds, expected.parts)
    assert (found.way == "whole") == (expected.way == "whole")
