"""Tasks without choices against lm-eval's own model: single continuations, rolling log-likelihoods of long texts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from lm_eval.models.huggingface import HFLM

from core.engine.decoder import Decoder
from core.engine.encoding import RequestEncoder
from core.engine.load import LoadedModel, load_model
from core.engine.removal import removed_from
from core.engine.sweep_sizes import SweepSizes
from core.models.lookup import ModelSource
from core.records.memory_recorder import MemoryRecorder
from core.study.chunks import ChunkEvaluator
from core.study.plan import Schedule
from core.study.study import Study
from core.tasks.build import build_task
from core.tasks.expand import source_of
from core.tasks.prepare import prepare_task

COALITIONS = ((), (0,), (3, 4))
WORDS = ("the", "river", "runs", "past", "seven", "grey", "houses", "and", "a", "mill", "where", "nobody", "works")


@pytest.fixture(scope="module")
def model(tiny_model_folder: Path) -> LoadedModel:
    return load_model(ModelSource("tiny", tiny_model_folder, "tiny", None))


def text(words: int, seed: int) -> str:
    return " ".join(WORDS[(seed + i * i) % len(WORDS)] for i in range(words))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("lambada_openai", [{"text": text(9, seed)} for seed in range(4)]),
        # The second text is longer than the tiny model's window of 512 tokens.
        ("wikitext", [{"page": text(40, 1)}, {"page": text(700, 2)}]),
    ],
)
def test_they_score_as_lm_eval_scores_them(
    model: LoadedModel, tmp_path: Path, name: str, rows: list[dict[str, str]]
) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    encoder, recorder = RequestEncoder(model), MemoryRecorder()
    built = build_task(name, source_of(name), data=data, num_fewshot=None, offline=True, narrate=print)
    task = prepare_task(built, encoder, limit=None, order="file", seed=0, apply_chat_template=False)
    sizes = SweepSizes(row_tokens=96, batch_tokens=512, chunk_tokens=96, state_tokens=10**6)
    list(Study(ChunkEvaluator(model, encoder, sizes), (task,), [Schedule("some", COALITIONS)]).run("run", recorder))
    lm = HFLM(pretrained=model.model, tokenizer=model.tokenizer, batch_size=2)
    for removed in COALITIONS:
        with removed_from(model.model, model.layout, removed), torch.inference_mode():
            for document in task.documents:
                ours = recorder.outcomes[document.record.key, removed]
                (instance,) = document.instances
                if name == "wikitext":
                    (theirs,) = lm.loglikelihood_rolling([instance], disable_tqdm=True)
                    np.testing.assert_allclose(ours.logprobs, [theirs], atol=1e-3, rtol=1e-4)
                    assert "word_perplexity" in ours.other
                else:
                    ((theirs, greedy),) = lm.loglikelihood([instance], disable_tqdm=True)
                    np.testing.assert_allclose(ours.logprobs, [theirs], atol=1e-3, rtol=1e-4)
                    assert ours.is_greedy == (greedy,)
                    assert ours.metrics["acc"] == float(greedy)


def test_the_windows_of_a_long_text_lie_in_rows_of_their_own(
    model: LoadedModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one row their cost and their mask would grow with the square of the text."""
    data = tmp_path / "rows.jsonl"
    data.write_text("\n".join(json.dumps({"page": text(words, 1)}) for words in (3, 2500, 5)), encoding="utf-8")
    encoder, recorder = RequestEncoder(model), MemoryRecorder()
    built = build_task("wikitext", source_of("wikitext"), data=data, num_fewshot=None, offline=True, narrate=print)
    task = prepare_task(built, encoder, limit=None, order="file", seed=0, apply_chat_template=False)
    assert [len(document.continuations) > 3 for document in task.documents] == [False, True, False]
    lengths: list[int] = []
    enter = Decoder.enter
    monkeypatch.setattr(Decoder, "enter", lambda self, row: lengths.append(len(row)) or enter(self, row))
    sizes = SweepSizes(row_tokens=96, batch_tokens=512, chunk_tokens=10_000, state_tokens=10**6)
    list(Study(ChunkEvaluator(model, encoder, sizes), (task,), [Schedule("some", ((), (3,)))]).run("run", recorder))
    assert max(lengths) <= encoder.max_length
    assert len(lengths) >= max(len(document.continuations) for document in task.documents)
    lm = HFLM(pretrained=model.model, tokenizer=model.tokenizer, batch_size=2)
    for document in task.documents:
        (theirs,) = lm.loglikelihood_rolling(list(document.instances), disable_tqdm=True)
        ours = recorder.outcomes[document.record.key, ()].logprobs
        np.testing.assert_allclose(ours, [theirs], atol=1e-3, rtol=1e-4)
