"""On a CUDA device the sweep gives the numbers of the CPU; run where there is one."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from accelerate import dispatch_model

from core.coalitions.schedules import windows
from core.engine.decoder import Decoder
from core.engine.packing import pack
from core.engine.sweep import sweep
from tests.core.engine.test_decoder import model_of, some_documents
from tests.support.swept import layout_in_use
from tests.support.tiny_models import LAYERS, SETTINGS, WINDOW

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-2), (torch.bfloat16, 5.0)])
def test_it_equals_the_cpu(name: str, dtype: torch.dtype, tolerance: float) -> None:
    model, row, coalitions = model_of(name), pack(some_documents(1), WINDOW), windows(2 * LAYERS, 3)
    layout = layout_in_use(model)
    here = sweep(Decoder(model, layout), row, coalitions, batch_tokens=64)
    there = sweep(Decoder(deepcopy(model).to("cuda", dtype), layout), row, coalitions, batch_tokens=4096)
    assert np.isfinite(there.logprobs).all()
    np.testing.assert_allclose(there.logprobs, here.logprobs, atol=tolerance, rtol=tolerance / 10)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="one CUDA device at the most")
def test_a_model_spread_over_two_devices_takes_states_that_skipped_layers() -> None:
    model, row, coalitions = model_of("llama"), pack(some_documents(1), WINDOW), windows(2 * LAYERS, 4)
    layout = layout_in_use(model)
    here = sweep(Decoder(model, layout), row, coalitions, batch_tokens=64)
    places: dict[str, int] = {"model.embed_tokens": 0, "model.rotary_emb": 0, "model.norm": 1, "lm_head": 1}
    places |= {f"model.layers.{index}": index * 2 // LAYERS for index in range(LAYERS)}
    spread = dispatch_model(deepcopy(model), places)
    there = sweep(Decoder(spread, layout), row, coalitions, batch_tokens=4096)
    np.testing.assert_allclose(there.logprobs, here.logprobs, atol=1e-2, rtol=1e-3)
