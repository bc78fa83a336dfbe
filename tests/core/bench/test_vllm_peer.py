"""The loop by vLLM: what it removes, and, where vLLM is, that it answers as the sweep does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from core.bench.measure import TIMED, measure
from core.bench.vllm_peer import by_outputs, by_weights, module_at
from core.config.run_config import load_config
from core.errors import CornerstoneError
from core.study.workbench import Workbench, open_workbench


class Layer(nn.Module):
    """A layer as vLLM has Mixtral's: the mixture has a name of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.self_attn = nn.Linear(4, 4)
        self.block_sparse_moe = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 4))

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        hidden = hidden + self.self_attn(hidden)
        return hidden + self.block_sparse_moe(hidden)


class Whole(nn.Module):
    """A model whose list of layers is deeper than transformers has it."""

    def __init__(self) -> None:
        super().__init__()
        self.language_model = nn.Module()
        self.language_model.layers = nn.ModuleList(Layer() for _ in range(12))

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        for layer in self.language_model.layers:
            hidden = layer(hidden)
        return hidden


@dataclass(frozen=True)
class Served:
    """Stands for lm-eval's vLLM model, whose ``model`` runs a function on the modules."""

    module: nn.Module

    @property
    def model(self) -> Served:
        return self

    def apply_model(self, function: Callable[[nn.Module], Any]) -> list[Any]:
        return [function(self.module)]


@pytest.mark.parametrize("removed", [by_weights, by_outputs])
def test_a_removed_module_adds_nothing_and_is_whole_again_afterwards(removed: Callable[..., Any]) -> None:
    model, hidden = Whole(), torch.randn(3, 4)
    before = model(hidden)
    silent = [f"model.layers.{layer}.{part}" for layer in range(12) for part in ("self_attn", "mlp")]
    with removed(Served(model), silent[:-1]):
        last = model.language_model.layers[-1].block_sparse_moe
        assert torch.equal(model(hidden), hidden + last(hidden))
    assert torch.equal(model(hidden), before)


def test_layer_1_is_not_layer_11() -> None:
    model = Whole()
    assert module_at(model, "model.layers.1.self_attn") is model.language_model.layers[1].self_attn
    assert module_at(model, "model.layers.11.self_attn") is model.language_model.layers[11].self_attn


def test_a_module_that_vllm_lacks_is_named() -> None:
    with pytest.raises(LookupError, match=r"vLLM's Whole has no single module called layers\.3\.mixer"):
        module_at(Whole(), "model.layers.3.mixer")


@pytest.fixture
def bench(tiny_model_folder: Path) -> Workbench:
    options = {"model": str(tiny_model_folder), "tasks": ["capitals"], "limit": 2, "order": "file", "device": "cpu"}
    return open_workbench(load_config(None, options))


@pytest.mark.parametrize(
    ("python", "said"),
    [
        (Path("nowhere/python"), "nowhere/python cannot be started"),
        # This environment has no vLLM; where it has, the tests below run.
        pytest.param(
            Path(sys.executable),
            "has no vllm; name a Python that has lm-eval and vLLM",
            marks=pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is installed"),
        ),
    ],
)
def test_a_python_without_vllm_is_refused_in_a_sentence(bench: Workbench, python: Path, said: str) -> None:
    with pytest.raises(CornerstoneError, match=said):
        measure(bench, bench.tasks[0], pytest.fail, max_removed=1, vllm=python)


@pytest.mark.slow
def test_where_vllm_fails_the_other_figures_are_kept(bench: Workbench, tmp_path: Path) -> None:
    broken = tmp_path / "python"
    broken.write_text(
        '#!/bin/sh\n[ "$1" = -c ] || { echo "ValueError: no room for it" >&2; echo "[rank0] goodbye" >&2; exit 1; }\n'
    )
    broken.chmod(0o755)
    told: list[str] = []
    report = measure(bench, bench.tasks[0], told.append, max_removed=1, vllm=broken)
    assert report.vllm is None
    assert report.outcomes_equal
    assert "no figures of vLLM: lm-eval with vLLM ended with exit code 1: ValueError: no room for it" in told[-1]


def test_modules_that_share_weights_are_whole_again() -> None:
    model = Whole()
    first, last = model.language_model.layers[0], model.language_model.layers[-1]
    last.self_attn.weight = first.self_attn.weight
    before = first.self_attn.weight.clone()
    with by_weights(Served(model), ["model.layers.0.self_attn", "model.layers.11.self_attn"]):
        assert not first.self_attn.weight.any()
    assert torch.equal(first.self_attn.weight, before)


_NAMED = os.environ.get("CORNERSTONE_TEST_VLLM", "")
"""The Python of an environment that has lm-eval and vLLM, for the test on a CPU."""


@pytest.mark.slow
@pytest.mark.skipif(not _NAMED, reason="CORNERSTONE_TEST_VLLM names no Python that has lm-eval and vLLM")
def test_on_a_cpu_vllm_answers_as_the_sweep_does() -> None:
    options = {"tasks": ["agreement"], "limit": 4, "device": "cpu", "dtype": "float32"}
    bench = open_workbench(load_config(None, options))
    report = measure(bench, bench.tasks[0], lambda _text: None, max_removed=2, vllm=Path(_NAMED))
    assert report.vllm is not None
    assert report.vllm.max_logprob_difference is not None
    assert report.vllm.max_logprob_difference < 1e-3
    assert report.vllm.answers_differ == 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.skipif(not _NAMED and find_spec("vllm") is None, reason="vLLM is not installed")
def test_on_cuda_vllm_answers_as_the_sweep_does() -> None:
    options = {"tasks": ["agreement"], "limit": 8, "device": "cuda", "dtype": "bfloat16"}
    bench = open_workbench(load_config(None, options))
    python = Path(_NAMED) if _NAMED else None
    report = measure(bench, bench.tasks[0], lambda _text: None, max_removed=1, vllm=python)
    assert report.vllm is not None
    assert report.vllm.timed == TIMED
    assert report.vllm.median_logprob_difference is not None
    # A silenced sublayer that was not silent would differ by whole nats; bfloat16 rounds by hundredths.
    assert report.vllm.median_logprob_difference < 0.1
