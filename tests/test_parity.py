"""The outcomes that `cornerstone run` stores equal those of plain lm-eval, document by document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support import plain_lm_eval
from tests.support.programs import cornerstone, read


def run_and_read(
    folder: Path, task: str, data: Path, limit: int, store: Path, *options: str
) -> dict[str, list[dict[str, Any]]]:
    asked = ["--model", str(folder), "--task", f"{task}={data}", "--limit", str(limit), "--order", "file", *options]
    done = cornerstone("run", *asked, "--store", store)
    assert done.returncode == 0, done.stderr
    return {table: read(store, table) for table in ("outcomes", "coalitions")}


def assert_equal_to_lm_eval(
    folder: Path,
    task: str,
    data: Path,
    limit: int,
    players: list[int | None],
    tables: dict[str, list[dict[str, Any]]],
    *,
    num_fewshot: int | None = None,
    apply_chat_template: bool = False,
) -> None:
    model = plain_lm_eval.load(folder)
    plain_task = plain_lm_eval.build_task(task, data, fewshot=bool(num_fewshot))
    other_argmax = []
    for player in players:
        removed = [] if player is None else [player]
        truth = plain_lm_eval.evaluate(
            model, folder, plain_task, limit, player, num_fewshot=num_fewshot, apply_chat_template=apply_chat_template
        )
        (coalition,) = [row for row in tables["coalitions"] if row["removed"] == removed]
        ours = {row["doc_id"]: row for row in tables["outcomes"] if row["removed"] == removed}
        assert sorted(ours) == sorted(truth.samples) == list(range(limit))
        ties = 0
        for doc_id, sample in truth.samples.items():
            row = ours[doc_id]
            assert row["logprobs"] == pytest.approx(sample.logprobs, abs=2e-3, rel=1e-4), (removed, doc_id)
            second, best = sorted(sample.logprobs)[-2:]
            tie = best - second < 4e-3
            ties += tie
            assert row["acc"] == sample.acc or tie, (removed, doc_id)
            if row["is_greedy"] != list(sample.is_greedy):
                other_argmax.append((removed, doc_id))
        if not ties:
            assert coalition["acc"] == pytest.approx(truth.acc)
            assert coalition["acc_se"] == (pytest.approx(truth.acc_se) if truth.acc_se else None)
    # lm-eval does not tell how close two tokens were, so a tie of tokens cannot be told from an error; many cannot tie.
    assert len(other_argmax) <= 1, other_argmax


def test_a_tiny_model_scores_as_in_lm_eval(tiny_model_folder: Path, shared_tasks: Path, tmp_path: Path) -> None:
    data = shared_tasks / "arc_easy.jsonl"
    tables = run_and_read(tiny_model_folder, "arc_easy", data, 12, tmp_path / "s.duckdb")
    assert_equal_to_lm_eval(tiny_model_folder, "arc_easy", data, 12, [None, 0, 3, 7], tables)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("task", "num_fewshot", "apply_chat_template"),
    [("arc_easy", 2, False), ("arc_easy", None, True), ("winogrande", 2, True)],
)
def test_prompt_settings_mean_what_they_mean_in_lm_eval(
    tiny_model_folder: Path,
    shared_tasks: Path,
    tmp_path: Path,
    task: str,
    num_fewshot: int | None,
    apply_chat_template: bool,
) -> None:
    data, store = shared_tasks / f"{task}.jsonl", tmp_path / "s.duckdb"
    options = [] if num_fewshot is None else ["--num-fewshot", str(num_fewshot)]
    options += ["--apply-chat-template"] if apply_chat_template else []
    tables = run_and_read(tiny_model_folder, task, data, 6, store, "--remove", "FFN 1", *options)
    assert_equal_to_lm_eval(
        tiny_model_folder, task, data, 6, [None, 3], tables,
        num_fewshot=num_fewshot, apply_chat_template=apply_chat_template,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("task", "limit"), [("arc_easy", 12), ("winogrande", 8)])
def test_every_ablation_of_the_default_model_scores_as_in_lm_eval(
    default_model_folder: Path, shared_tasks: Path, tmp_path: Path, task: str, limit: int
) -> None:
    data = shared_tasks / f"{task}.jsonl"
    tables = run_and_read(default_model_folder, task, data, limit, tmp_path / "s.duckdb")
    assert len(tables["coalitions"]) == 61
    assert_equal_to_lm_eval(default_model_folder, task, data, limit, [None, *range(60)], tables)
