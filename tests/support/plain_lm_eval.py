"""Reference numbers: plain lm-eval over plain transformers, with a submodule silenced by a forward hook."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import lm_eval
import torch
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

FOLDERS = ("arc", "piqa", "super_glue/boolq", "winogrande")
SPLITS = {"arc_easy": "test", "piqa": "validation", "boolq": "validation", "winogrande": "validation"}


@dataclass(frozen=True)
class Sample:
    logprobs: tuple[float, ...]
    is_greedy: tuple[bool, ...]
    acc: float


@dataclass(frozen=True)
class Result:
    acc: float
    acc_se: float
    samples: dict[int, Sample]


@functools.cache
def task_manager() -> TaskManager:
    """Return a task manager of the folders of these tasks alone, as reading all 14 000 files takes 10 s."""
    folder = Path(lm_eval.tasks.__file__).parent
    return TaskManager(include_path=[folder / part for part in FOLDERS], include_defaults=False)


def load(folder: Path) -> PreTrainedModel:
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()


def build_task(task: str, data: Path, *, fewshot: bool = False) -> object:
    """Build the official task over ``data``; few-shot examples, if any, come from its other rows."""
    # lm-eval leaves the evaluated document out of the examples only where both come from the test split.
    split = "test" if fewshot else SPLITS[task]
    manager = task_manager()
    overrides = {
        "dataset_path": "json",
        "dataset_name": None,
        "dataset_kwargs": {"data_files": {split: str(data)}},
        "training_split": None,
        "validation_split": split if split == "validation" else None,
        "test_split": split if split == "test" else None,
        "fewshot_split": split if fewshot else None,
    }
    return manager._factory.build(manager._index[task], overrides=overrides, registry=manager._index)


@contextmanager
def silenced(model: PreTrainedModel, player: int | None) -> Iterator[None]:
    if player is None:
        yield
        return
    layer = model.model.layers[player // 2]
    if player % 2:
        hook = layer.mlp.register_forward_hook(lambda _m, _a, out: torch.zeros_like(out))
    else:
        hook = layer.self_attn.register_forward_hook(lambda _m, _a, out: (torch.zeros_like(out[0]), *out[1:]))
    try:
        yield
    finally:
        hook.remove()


def evaluate(
    model: PreTrainedModel,
    folder: Path,
    task: object,
    limit: int,
    player: int | None,
    *,
    num_fewshot: int | None = None,
    apply_chat_template: bool = False,
) -> Result:
    lm = HFLM(pretrained=model, tokenizer=AutoTokenizer.from_pretrained(folder), batch_size=16)
    # For its report lm-eval looks up facts of the machine, which takes seconds; no number depends on them.
    environment = mock.patch("lm_eval.evaluator.add_env_info")
    with silenced(model, player), torch.inference_mode(), environment:
        found = lm_eval.simple_evaluate(
            model=lm,
            tasks=[task],
            limit=limit,
            num_fewshot=num_fewshot,
            apply_chat_template=apply_chat_template,
            bootstrap_iters=100,
            task_manager=task_manager(),
        )
    ((name, scores),) = found["results"].items()
    samples = {
        sample["doc_id"]: Sample(
            tuple(float(logprob) for logprob, _ in sample["filtered_resps"]),
            tuple(bool(greedy) for _, greedy in sample["filtered_resps"]),
            float(sample["acc"]),
        )
        for sample in found["samples"][name]
    }
    return Result(scores["acc,none"], scores["acc_stderr,none"], samples)
