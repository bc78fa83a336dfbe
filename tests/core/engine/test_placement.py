"""A model that does not fit into the free memory is spread to the disk, or refused on a device that was named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.engine import placement
from core.engine.decoder import Decoder
from core.engine.load import load_model
from core.engine.sweep import sweep
from core.errors import CornerstoneError
from core.models.lookup import ModelSource
from tests.core.engine.test_sweep import COALITIONS, ROWS


@pytest.fixture
def half(tiny_model_folder: Path, tmp_path: Path) -> ModelSource:
    """The tiny model with weights of 16 bits, so that to load it as float32 takes memory."""
    AutoModelForCausalLM.from_pretrained(tiny_model_folder, dtype=torch.bfloat16).save_pretrained(tmp_path)
    AutoTokenizer.from_pretrained(tiny_model_folder).save_pretrained(tmp_path)
    return ModelSource("half", tmp_path, str(tmp_path), None)


def bound(monkeypatch: pytest.MonkeyPatch, source: ModelSource) -> None:
    """Let the free memory be less than the model takes."""
    size = sum(file.stat().st_size for file in source.folder.glob("*.safetensors"))
    monkeypatch.setattr(placement, "free_memory", lambda: size)


@pytest.mark.slow
def test_what_does_not_fit_goes_to_the_disk_and_gives_the_same_numbers(
    half: ModelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = load_model(half)
    assert not whole.offloaded
    bound(monkeypatch, half)
    spread = load_model(half)
    assert spread.offloaded
    one, other = (
        sweep(Decoder(loaded.model, loaded.layout), ROWS[0], COALITIONS, batch_tokens=64) for loaded in (whole, spread)
    )
    np.testing.assert_allclose(other.logprobs, one.logprobs, atol=1e-4)
    assert spread.record == whole.record


def test_a_device_that_was_named_and_is_too_small_is_refused_in_a_sentence(
    half: ModelSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    bound(monkeypatch, half)
    with pytest.raises(CornerstoneError, match=r"half needs 0.0 GiB on cpu as float32, and 0.0 GiB are free"):
        load_model(half, device="cpu")


def test_weights_of_the_right_type_are_read_from_their_file_and_need_no_memory(
    tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placement, "free_memory", lambda: 0)
    source = ModelSource("tiny", tiny_model_folder, str(tiny_model_folder), None)
    assert not load_model(source, device="cpu").offloaded
