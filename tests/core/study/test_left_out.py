"""Outcomes that are no numbers are left out and told, and a model that gives none is refused before it is stored."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from core.config.run_config import load_config
from core.errors import CornerstoneError
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.question import Question
from core.records.memory_recorder import MemoryRecorder
from core.records.records import Outcome
from core.study.left_out import fault_of
from core.study.workbench import open_workbench, run_config
from core.tasks.prepare import PreparedTask
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.byte_model import byte_model

SOUND = Outcome("key", (), (-1.5, -2.0), (True, False), {"acc": 1.0}, {"f1": [0, 1]})


def changed(folder: Path, change: Callable[[PreTrainedModel], object]) -> Path:
    """Write a model whose weights are changed."""
    model = AutoModelForCausalLM.from_pretrained(byte_model(folder, biases=True))
    with torch.no_grad():
        change(model)
    model.save_pretrained(folder)
    return folder


def overflow_without_ffn_0(model: PreTrainedModel) -> None:
    """Let each FFN take back what the attention before it adds, so that two additions overflow."""
    for layer in model.model.layers:
        layer.self_attn.o_proj.bias[0] = 3e38
        layer.mlp.down_proj.bias[0] = -3e38


@pytest.mark.parametrize(
    "weight", ["model.layers.0.input_layernorm.weight", "model.layers.1.mlp.up_proj.weight", "model.norm.weight"]
)
def test_a_model_with_nan_in_a_weight_is_refused_and_nothing_is_stored(weight: str, tmp_path: Path) -> None:
    model = changed(tmp_path / "model", lambda model: model.get_parameter(weight).view(-1)[0].fill_(math.nan))
    config = load_config(None, {"model": str(model), "tasks": ["agreement"], "limit": 12})
    store = tmp_path / "s.duckdb"
    with pytest.raises(CornerstoneError, match="its logits for a plain text are not finite"):
        list(run_config(config, "test", StoreRecorder(store)))
    assert not store.exists()


@pytest.mark.slow
def test_a_coalition_that_overflows_is_named_and_all_others_are_stored(tmp_path: Path) -> None:
    model = changed(tmp_path / "model", overflow_without_ffn_0)
    config = load_config(None, {"model": str(model), "tasks": ["agreement"], "limit": 12})
    store = tmp_path / "s.duckdb"
    with pytest.raises(CornerstoneError, match=r"under 1 of the coalitions \(FFN 0 removed: 12 of 12 documents\)"):
        list(run_config(config, "test", StoreRecorder(store)))
    found = Results(store).ablation()
    assert {row.label for row in found.rows} == {"Attn 0", "Attn 1", "FFN 1"}
    assert all(math.isfinite(row.drop) for row in found.rows)
    (gap,) = Results(store).answers([Question(LeaveOneOut())]).gaps
    assert "1 of 5 coalitions are missing" in str(gap)


def test_a_schedule_in_rounds_ends_where_a_coalition_gives_no_number(tmp_path: Path) -> None:
    model = changed(tmp_path / "model", overflow_without_ffn_0)
    asked = {"model": str(model), "tasks": ["agreement"], "limit": 6, "schedule": ["permutation"]}
    recorder = MemoryRecorder()
    with pytest.raises(CornerstoneError, match="these outcomes are left out, the others are stored"):
        list(run_config(load_config(None, asked), "test", recorder))
    assert recorder.outcomes
    assert all(fault_of(outcome) is None for outcome in recorder.outcomes.values())


@pytest.mark.parametrize(
    ("outcome", "fault"),
    [
        (SOUND, None),
        (replace(SOUND, logprobs=(-1.5, -math.inf)), None),  # an impossible choice beside a possible one
        (replace(SOUND, logprobs=(0.01, -2.0)), None),  # rounding
        (replace(SOUND, logprobs=(-1.5, math.nan)), "log-probabilities"),
        (replace(SOUND, logprobs=(math.inf, -2.0)), "log-probabilities"),
        (replace(SOUND, logprobs=(3.0, -2.0)), "log-probabilities"),
        (replace(SOUND, logprobs=(-math.inf, -math.inf)), "log-probabilities"),
        (replace(SOUND, metrics={"acc": math.nan}), "acc"),
        (replace(SOUND, metrics={"acc": math.inf}), "acc"),
        (replace(SOUND, other={"brier": [0, [0.5, math.nan]]}), "brier"),
    ],
)
def test_what_is_no_number(outcome: Outcome, fault: str | None) -> None:
    assert fault_of(outcome) == fault


def prepared(tmp_path: Path, process: Callable[[object, object], object]) -> PreparedTask:
    """Return the task agreement with another scoring function."""
    config = load_config(None, {"model": str(byte_model(tmp_path)), "tasks": ["agreement"], "limit": 1})
    (task,) = open_workbench(config).tasks
    task._built.task.process_results = process
    return task


@pytest.mark.parametrize(
    "process",
    [
        lambda _doc, _results: {"acc": math.nan, "acc_norm": 1.0},
        lambda _doc, _results: {"acc": None, "acc_norm": 1.0},
        lambda _doc, _results: {"acc": math.exp(800), "acc_norm": 1.0},  # a perplexity that overflows
        lambda _doc, _results: {"acc": 1.0, "acc_norm": 1 / 0},
    ],
)
def test_a_score_that_is_no_number_counts_as_none(process: Callable[[object, object], object], tmp_path: Path) -> None:
    task = prepared(tmp_path, process)
    outcome = task.outcome(task.documents[0], (), [-1.0, -2.0], [True, False])
    assert fault_of(outcome) in {"acc", "acc_norm"}
