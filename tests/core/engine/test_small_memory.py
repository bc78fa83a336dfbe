"""A model that is larger than the memory it is given is evaluated from the disk, with the same outcomes."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from tests.support.programs import PROGRAM, REPOSITORY
from tests.support.small_model import small_model

ROOM = 1.3e9
"""Bytes that a program may take beside its libraries."""
_LAYER = 11.3e6 * 4
_LIBRARIES = "import psutil, core.study.workbench; print(psutil.Process().memory_info().data)"


def large_model(folder: Path, layers: int) -> Path:
    """Write a random model of bytes whose weights are half as large on the disk as in float32."""
    small_model(folder)
    (folder / "model.safetensors").unlink()
    config = LlamaConfig.from_pretrained(folder)
    config.update({"hidden_size": 1024, "intermediate_size": 2816, "num_hidden_layers": layers})
    config.update({"num_attention_heads": 8, "num_key_value_heads": 2, "head_dim": 128})
    torch.manual_seed(0)
    with torch.device("meta"):
        model = LlamaForCausalLM(config).to(torch.bfloat16)
    model.to_empty(device="cpu")
    for weight in model.parameters():
        torch.nn.init.normal_(weight, 1.0 if weight.dim() == 1 else 0.0, 0.02)
    model.save_pretrained(folder, max_shard_size="200MB")
    return folder


def evaluated(model: Path, store: Path, limit: int | None) -> list[tuple[object, ...]]:
    """Return the outcomes of two coalitions, evaluated under a limit on the program's data as ``ulimit -d`` sets it."""
    asked = ("run", "--model", str(model), "--task", "agreement", "--limit", "2", "--remove", "Attn 3,FFN 7")
    program = [*PROGRAM, *asked, "--store", str(store)]

    def limited() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))

    done = subprocess.run(program, capture_output=True, text=True, check=False, cwd=REPOSITORY, preexec_fn=limited)
    assert done.returncode == 0, done.stderr
    with duckdb.connect(store, read_only=True) as db:
        found = db.execute("SELECT document, coalition, logprobs FROM outcomes ORDER BY ALL").fetchall()
    return [(document, coalition, *logprobs) for document, coalition, logprobs in found]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="a limit on a program's data counts as here on Linux alone")
def test_it_finishes_with_the_same_outcomes(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", _LIBRARIES], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    limit = int(float(told.stdout) + ROOM)
    layers = int(1.05 * limit / _LAYER) + 1
    model = large_model(tmp_path / "large", layers)
    assert 2 * sum(file.stat().st_size for file in model.glob("*.safetensors")) > limit
    small = evaluated(model, tmp_path / "small.duckdb", limit)
    assert len(small) == 4
    whole = evaluated(model, tmp_path / "whole.duckdb", None)
    for ours, theirs in zip(small, whole, strict=True):
        assert ours[:2] == theirs[:2]
        assert ours[2:] == pytest.approx(theirs[2:], abs=1e-3)
