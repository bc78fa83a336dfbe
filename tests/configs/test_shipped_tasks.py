from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from lm_eval.models.huggingface import HFLM
from transformers import AutoTokenizer

from configs.tasks.generate import TASKS, lines
from core.tasks.index import ShippedTask, shipped_tasks
from tests.support import plain_lm_eval

SHIPPED = {task.name: task for task in shipped_tasks()}


def rows_of(task: ShippedTask) -> list[dict]:
    return [json.loads(line) for line in task.data.read_text(encoding="utf-8").splitlines()]


def test_every_generated_task_is_shipped() -> None:
    assert set(SHIPPED) == set(TASKS)
    assert len(SHIPPED) >= 4


@pytest.mark.parametrize("name", TASKS)
def test_the_script_reproduces_the_data(name: str) -> None:
    assert SHIPPED[name].data.read_text(encoding="utf-8") == lines(TASKS[name]())


@pytest.mark.parametrize("name", TASKS)
def test_documents_are_many_distinct_and_balanced(name: str) -> None:
    rows = rows_of(SHIPPED[name])
    assert len(rows) == SHIPPED[name].document_count() >= 100
    assert len({row["text"] for row in rows}) == len(rows)
    choices = len(rows[0]["choices"])
    assert all(len(set(row["choices"])) == choices for row in rows)
    positions = Counter(row["gold"] for row in rows)
    assert max(positions.values()) - min(positions.values()) <= 1
    golds = Counter(row["choices"][row["gold"]] for row in rows)
    offered = Counter(choice for row in rows for choice in row["choices"])
    # Being offered says nothing: each answer is right in the same share of the documents that offer it.
    assert {offered[answer] / count for answer, count in golds.items()} == {choices}


@pytest.mark.slow
def test_the_default_model_knows_them_needs_the_question_and_can_be_broken(default_model_folder: Path) -> None:
    model = plain_lm_eval.load(default_model_folder)
    lm = HFLM(pretrained=model, tokenizer=AutoTokenizer.from_pretrained(default_model_folder), batch_size=32)
    passed = []
    for name, task in SHIPPED.items():
        rows = rows_of(task)
        chance = 1 / len(rows[0]["choices"])
        intact, blind = accuracy(lm, rows), accuracy(lm, rows, with_text=False)
        with plain_lm_eval.silenced(model, 1):  # FFN 0
            broken = accuracy(lm, rows)
        print(f"{name}: intact {intact:.3f}, without the question {blind:.3f}, without FFN 0 {broken:.3f}")
        if intact - chance >= 0.25 and blind - chance <= 0.10 and broken - chance < (intact - chance) / 2:
            passed.append(name)
    assert len(passed) >= 3


def accuracy(lm: HFLM, rows: list[dict], *, with_text: bool = True) -> float:
    pairs = [(row["text"] if with_text else "", f" {choice}") for row in rows for choice in row["choices"]]
    encoded = [(pair, *_encode(lm, *pair)) for pair in pairs]
    with torch.inference_mode():
        scores = [logprob for logprob, _ in lm._loglikelihood_tokens(encoded, disable_tqdm=True)]
    width = len(rows[0]["choices"])
    best = [max(range(width), key=lambda c, start=start: scores[start + c]) for start in range(0, len(scores), width)]
    return sum(row["gold"] == choice for row, choice in zip(rows, best, strict=True)) / len(rows)


def _encode(lm: HFLM, context: str, continuation: str) -> tuple[list[int], list[int]]:
    if context:
        return lm._encode_pair(context, continuation)
    return [lm.prefix_token_id], lm.tok_encode(continuation, add_special_tokens=False)
