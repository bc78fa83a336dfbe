"""On a CUDA device the sweep gives the numbers of the CPU; run where there is one."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import dispatch_model

from core.bench.measure import measure
from core.coalitions.schedules import windows
from core.config.run_config import RunConfig
from core.engine import ahead
from core.engine.decoder import Decoder
from core.engine.load import LoadedModel, load_model
from core.engine.packing import pack
from core.engine.sizes import needed_bytes, sizes_for
from core.engine.sweep import sweep, sweep_rows
from core.study.events import ChunkRecorded, MemoryShort
from core.study.workbench import open_workbench
from tests.core.engine.test_decoder import model_of, some_documents
from tests.core.engine.test_small_memory import large_model
from tests.core.engine.test_sweep import SIZES, Outcomes, resident, source, study, truth
from tests.support.swept import layout_in_use
from tests.support.tiny_models import LAYERS, SETTINGS, WINDOW

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


__all__ = ["resident", "truth"]  # fixtures


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-2), (torch.bfloat16, 5.0)])
def test_it_equals_the_cpu(name: str, dtype: torch.dtype, tolerance: float) -> None:
    model, row, coalitions = model_of(name), pack(some_documents(1), WINDOW), windows(2 * LAYERS, 3)
    layout = layout_in_use(model)
    here = sweep(Decoder(model, layout), row, coalitions, batch_tokens=64)
    there = sweep(Decoder(deepcopy(model).to("cuda", dtype), layout), row, coalitions, batch_tokens=4096)
    assert np.isfinite(there.logprobs).all()
    np.testing.assert_allclose(there.logprobs, here.logprobs, atol=tolerance, rtol=tolerance / 10)


def on_cuda(folder: Path, dtype: str = "float32") -> LoadedModel:
    return load_model(source(folder), dtype=dtype, device="cuda")


def offloaded(folder: Path, away: str) -> LoadedModel:
    ends = dict.fromkeys(("model.embed_tokens", "model.rotary_emb", "model.norm", "lm_head"), 0)
    places: dict[str, str | int] = {**ends, **{f"model.layers.{index}": away for index in range(4)}}
    return load_model(source(folder), dtype="float32", device_map=places)


@pytest.mark.parametrize("away", ["cpu", "disk"])
def test_offloaded_layers_are_copied_on_a_stream_of_their_own(
    tiny_model_folder: Path, truth: Outcomes, monkeypatch: pytest.MonkeyPatch, away: str
) -> None:
    model, copied = offloaded(tiny_model_folder, away), []
    hand_over = ahead._hand_over

    def watched(brought: ahead._Brought) -> None:
        copied.append(set(brought.copied))
        hand_over(brought)

    monkeypatch.setattr(ahead, "_hand_over", watched)
    events, outcomes = study(model, replace(SIZES, chunk_tokens=10_000))
    assert sum(isinstance(event, ChunkRecorded) for event in events) == 1
    assert copied == [{torch.device("cuda", 0)}] * 3
    assert_close(outcomes, truth)


def test_out_of_memory_halves_the_chunk_and_goes_on(tiny_model_folder: Path, truth: Outcomes) -> None:
    model = on_cuda(tiny_model_folder)
    torch.cuda.empty_cache()
    whole = replace(SIZES, row_tokens=1024, chunk_tokens=10_000, batch_tokens=16_384)
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.reset_peak_memory_stats()
    study(model, whole)
    needed = torch.cuda.max_memory_allocated()
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.7 * needed / total)
    try:
        events, outcomes = study(model, whole)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert any(isinstance(event, MemoryShort) for event in events)
    assert_close(outcomes, truth)


def test_a_sweep_takes_no_more_memory_than_is_planned(tmp_path: Path) -> None:
    model = on_cuda(large_model(tmp_path / "large", 8), dtype="bfloat16")
    rows, coalitions = [pack(some_documents(seed), 256) for seed in range(8)], windows(16, 4)
    sizes = sizes_for(model.model, offloaded=False)
    planned = needed_bytes(model.model, sizes, sum(map(len, rows)) * len(coalitions))
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    sweep_rows(model.decoder(), rows, coalitions, batch_tokens=sizes.batch_tokens)
    assert torch.cuda.max_memory_allocated() - before <= planned


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 2e-3), ("bfloat16", 0.5)])
def test_bench_finds_the_numbers_of_lm_eval_and_a_fair_part_of_the_products_speed(
    tmp_path: Path, dtype: str, tolerance: float
) -> None:
    """Nothing is left on the CPU by accident: that would take hundreds of times as long as the products."""
    folder = large_model(tmp_path / "large", 16)
    settings = {"model": str(folder), "tasks": ["agreement"], "limit": 64, "dtype": dtype, "device": "cuda"}
    bench = open_workbench(RunConfig.model_validate(settings))
    report = measure(bench, bench.tasks[0], print)
    print(f"{torch.cuda.get_device_name()} {dtype}: {report}")
    assert report.outcomes_equal or dtype == "bfloat16"  # rounding makes other answers of near ties
    assert report.max_logprob_difference < tolerance
    assert report.median_logprob_difference < tolerance / 4
    assert report.fraction_of_limit > 0.01


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="one CUDA device at the most")
def test_a_model_spread_over_two_devices_keeps_both_busy_and_takes_states_that_skipped_layers() -> None:
    model, coalitions = model_of("llama"), windows(2 * LAYERS, 4)
    rows = [pack(some_documents(seed), WINDOW) for seed in (1, 2, 3)]
    layout = layout_in_use(model)
    here = sweep_rows(Decoder(model, layout), rows, coalitions, batch_tokens=64)
    places: dict[str, int] = {"model.embed_tokens": 0, "model.rotary_emb": 0, "model.norm": 1, "lm_head": 1}
    places |= {f"model.layers.{index}": index * 2 // LAYERS for index in range(LAYERS)}
    decoder = Decoder(dispatch_model(deepcopy(model), places), layout)
    assert decoder.stages == [LAYERS // 2, LAYERS - LAYERS // 2]
    there = sweep_rows(decoder, rows, coalitions, batch_tokens=4096)
    for one, other in zip(there, here, strict=True):
        np.testing.assert_allclose(one.logprobs, other.logprobs, atol=1e-2, rtol=1e-3)


def assert_close(found: Outcomes, truth: Outcomes) -> None:
    """Compare outcomes in float32 of two devices."""
    assert found.keys() == truth.keys()
    for key, outcome in truth.items():
        np.testing.assert_allclose(found[key].logprobs, outcome.logprobs, atol=1e-2, rtol=1e-3)
