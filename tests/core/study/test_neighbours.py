"""A document that gives no number does not spoil the documents packed into its row."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from core.coalitions.schedules import windows
from core.config.run_config import RunConfig, load_config
from core.engine.intact_states import IntactStates
from core.engine.neighbours import Bundle, unspoiled
from core.engine.packing import TokenRequest
from core.engine.scoring import Scores
from core.engine.sweep import ignore_batches
from core.engine.sweep_sizes import SweepSizes
from core.errors import CornerstoneError
from core.records.memory_recorder import MemoryRecorder
from core.records.records import Outcome
from core.study import chunks
from core.study.left_out import fault_of
from core.study.workbench import Workbench, open_workbench, run_config
from tests.core.engine.test_decoder import TOLERANCE, plain_logprobs
from tests.support.byte_model import byte_model

GOALS = ["walk home", "pay a bill", "draw ~ by hand, with much care", "sing", "plant trees", "ride"]
SPOILING = 2
"""The number of the one document with the token ~."""
COALITIONS = windows(4, 2)
Change = Callable[[PreTrainedModel, int], None]


def embedded_as(value: float) -> Change:
    def change(model: PreTrainedModel, token: int) -> None:
        model.get_input_embeddings().weight[token, 0] = value

    return change


def overflows_without_attention_0(model: PreTrainedModel, token: int) -> None:
    """Let attention 0 take from every token what its FFN adds; without it, this token alone overflows."""
    model.get_input_embeddings().weight[token, 0] = 1e38
    model.model.layers[0].self_attn.o_proj.bias[0] = -2.5e38
    model.model.layers[0].mlp.down_proj.bias[0] = 2.5e38


def config(folder: Path) -> RunConfig:
    """Return a run on a sound model."""
    byte_model(folder, biases=True)
    rows = folder / "rows.jsonl"
    rows.write_text("\n".join(json.dumps({"goal": goal, "sol1": "yes", "sol2": "not", "label": 0}) for goal in GOALS))
    return load_config(None, {"model": str(folder), "tasks": [f"piqa={rows}"], "order": "file"})


def opened(folder: Path, change: Change) -> Workbench:
    """Load a model, and then change it in memory: how it is evaluated was decided without the token ~."""
    bench = open_workbench(config(folder))
    with torch.no_grad():
        change(bench.model.model, bench.model.tokenizer.convert_tokens_to_ids("~"))
    return bench


def outcomes_of(bench: Workbench, intact: IntactStates | None = None) -> list[list[Outcome]]:
    """Return the outcomes by document, each in the order of ``COALITIONS``."""
    (task,) = bench.tasks
    found: list[Outcome] = []
    for chunk in bench.evaluator(intact).missing(task, COALITIONS, {}, ignore_batches):
        assert not isinstance(chunk, SweepSizes)
        found += chunk
    by_key = {(one.document, one.removed): one for one in found}
    return [[by_key[document.record.key, removed] for removed in COALITIONS] for document in task.documents]


@pytest.mark.parametrize("kept", [False, True], ids=["fresh", "kept states"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_token_without_number_takes_away_its_own_document_only(
    value: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, kept: bool
) -> None:
    bench = opened(tmp_path, embedded_as(value))
    packed: list[int] = []
    sweep = chunks.sweep_rows
    monkeypatch.setattr(chunks, "sweep_rows", lambda *args, **more: packed.append(len(args[1])) or sweep(*args, **more))
    states = IntactStates(10**9) if kept else None
    for _ in range(2 if kept else 1):
        found = outcomes_of(bench, states)
        for number, (document, outcomes) in enumerate(zip(bench.tasks[0].documents, found, strict=True)):
            if number == SPOILING:
                assert all(map(fault_of, outcomes))
                continue
            for removed, outcome in zip(COALITIONS, outcomes, strict=True):
                truth = plain_logprobs(bench.model.model, [list(document.continuations)], removed)
                np.testing.assert_allclose(outcome.logprobs, truth, atol=TOLERANCE, rtol=1e-5)
    assert max(packed) > 1, "the row of several documents was not scored again"


@pytest.mark.slow
def test_a_token_without_number_under_one_coalition_takes_away_that_outcome_only(tmp_path: Path) -> None:
    bench = opened(tmp_path, overflows_without_attention_0)
    found = outcomes_of(bench)
    faults = [[fault_of(outcome) is not None for outcome in outcomes] for outcomes in found]
    lacking = [0 in removed and 1 not in removed for removed in COALITIONS]
    assert faults == [lacking if number == SPOILING else [False] * len(COALITIONS) for number in range(len(GOALS))]
    for number, (document, outcomes) in enumerate(zip(bench.tasks[0].documents, found, strict=True)):
        for removed, outcome, fault in zip(COALITIONS, outcomes, faults[number], strict=True):
            truth = plain_logprobs(bench.model.model, [list(document.continuations)], removed)
            assert fault or np.allclose(outcome.logprobs, truth, atol=TOLERANCE, rtol=1e-5)


@pytest.mark.slow
def test_a_run_stores_the_neighbours_and_names_what_is_left_out(tmp_path: Path) -> None:
    run, recorder = config(tmp_path / "model"), MemoryRecorder()
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    token = json.loads((tmp_path / "model" / "tokenizer.json").read_text())["model"]["vocab"]["~"]
    with torch.no_grad():
        embedded_as(math.nan)(model, token)
    model.save_pretrained(tmp_path / "model")
    with pytest.raises(CornerstoneError, match=r"nothing removed: 1 of 6 documents; Attn 0 removed: 1 of 6 documents"):
        list(run_config(run, "test", recorder))
    assert len({key for key, *_ in recorder.outcomes}) == len(GOALS) - 1
    assert all(fault_of(outcome) is None for outcome in recorder.outcomes.values())


def bundle(requests: int) -> Bundle:
    return [TokenRequest((1,), (number,)) for number in range(requests)]


def test_only_what_is_spoiled_is_scored_again_and_only_that_is_replaced() -> None:
    nan = math.nan
    groups = [[bundle(2), bundle(1)], [bundle(1)], [bundle(1), bundle(2)]]
    before = np.array([[1.0, 2, 3, nan, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7], [nan, 2, nan, 4, 5, 6, 7]])
    asked: list[tuple[list[int], list[int]]] = []

    def alone(bundles: Sequence[Bundle], under: Sequence[int]) -> Scores:
        asked.append((list(map(len, bundles)), list(under)))
        return Scores(np.array([[10.0, 20, nan]]), np.array([[True, True, True]]))

    after = unspoiled(groups, Scores(before, np.zeros(before.shape, dtype=np.bool_)), alone)
    assert asked == [([2, 1], [2])]
    np.testing.assert_array_equal(after.logprobs[:2], before[:2])
    np.testing.assert_array_equal(after.logprobs[2], [10, 20, nan, 4, 5, 6, 7])
    np.testing.assert_array_equal(after.is_greedy[2], [True] * 3 + [False] * 4)


def test_sound_scores_are_not_scored_again() -> None:
    scores = Scores(np.zeros((2, 3)), np.ones((2, 3), dtype=np.bool_))

    def never(_bundles: Sequence[Bundle], _under: Sequence[int]) -> Scores:
        raise AssertionError

    assert unspoiled([[bundle(1), bundle(2)]], scores, never) is scores
