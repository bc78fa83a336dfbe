"""Requests that lm-eval cannot score are named for what they are; all others have lm-eval's tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from tokenizers import normalizers

from core.config.run_config import load_config
from core.engine.encoding import EncodingFaultError, RequestEncoder
from core.engine.load import LoadedModel, load_model
from core.errors import CornerstoneError
from core.models.lookup import ModelSource
from core.records.memory_recorder import MemoryRecorder
from core.study.workbench import open_workbench, run_config
from tests.support.byte_model import byte_model


def loaded(folder: Path) -> LoadedModel:
    return load_model(ModelSource("bytes", folder, "bytes", None))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    """Its tokenizer makes one token of "Answer"."""
    merges = (("A", "n"), ("An", "s"), ("w", "e"), ("we", "r"), ("Ans", "wer"))
    return loaded(byte_model(tmp_path_factory.mktemp("merges"), merges=merges))


def instance(context: str, continuation: str) -> Instance:
    return Instance("loglikelihood", {}, (context, continuation), 0)


@pytest.mark.parametrize(
    ("context", "continuation", "sentence"),
    [
        ("Ans", "wer", "the tokenizer joins the end of the prompt and the choice 'wer'"),
        ("An", "s", "the tokenizer joins the end of the prompt and the choice 's'"),
        ("Q: ", "", None),  # the space of the prompt is scored
        ("Q:", "", "the choice '' has no token"),
        ("", "", "the choice '' has no token"),
        ("  ", "x", "its prompt has no token; it may be white space alone"),
        ("", "<|end|>", "is the token that stands in place of an empty prompt"),
        ("", "x", None),
        ("Q: ", " ", None),
        ("Q:\n\n", "x", None),
        ("Q", "\N{OK HAND SIGN}", None),
        ("<|end|>Q", "x", None),
    ],
)
def test_what_lm_eval_cannot_score_is_named(
    context: str, continuation: str, sentence: str | None, model: LoadedModel
) -> None:
    encoder = RequestEncoder(model)
    lm = HFLM(pretrained=model.model, tokenizer=model.tokenizer, batch_size=1)
    asked = instance(context, continuation)
    if sentence is None:
        (part,) = encoder.encode(asked)
        seen: list[Any] = []
        lm._loglikelihood_tokens = lambda requests, **_: seen.extend(requests)
        lm.loglikelihood([asked], disable_tqdm=True)
        assert [(list(part.context), list(part.continuation))] == [(c, t) for _, c, t in seen]
        return
    with pytest.raises(EncodingFaultError, match=sentence):
        encoder.encode(asked)
    with pytest.raises((AssertionError, IndexError)):
        lm.loglikelihood([asked], disable_tqdm=True)


ROWS = [
    {"text": "The end of a sentence ", "choices": ["is", "are"], "gold": 0},
    {"text": "A word\n", "choices": ["is", "is"], "gold": 1},
    {"text": "x" * 400, "choices": ["yes", "no", "maybe so"], "gold": 2},  # longer than the context
    {"text": "One choice", "choices": ["only"], "gold": 0},
    {"text": "", "choices": ["is", "1e5", "True", "None", "[1]", "3.10", "2020-01-01"], "gold": 5},
]


def written(folder: Path, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the task agreement with these rows as its data."""
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return f"agreement={folder / 'rows.jsonl'}"


def test_rows_22_and_23_odd_rows_that_lm_eval_scores_are_scored_alike(tmp_path: Path) -> None:
    folder = byte_model(tmp_path / "model", merges=(("w", "e"),))
    asked = {"model": str(folder), "tasks": [written(tmp_path, ROWS)], "order": "file"}
    config = load_config(None, {**asked, "remove": ["Attn 0"]})
    recorder = MemoryRecorder()
    list(run_config(config, "test", recorder))
    bench = open_workbench(config)
    lm = HFLM(pretrained=bench.model.model, tokenizer=bench.model.tokenizer, batch_size=1)
    with torch.inference_mode():
        for document in bench.tasks[0].documents:
            theirs = [score for score, _ in lm.loglikelihood(list(document.instances), disable_tqdm=True)]
            ours = recorder.outcomes[document.record.key, ()]
            np.testing.assert_allclose(ours.logprobs, theirs, atol=1e-3, rtol=1e-4)
            assert ours.metrics["acc"] == float(int(np.argmax(theirs)) in document.record.gold)
    assert [document.record.choices for document in bench.tasks[0].documents] == [tuple(row["choices"]) for row in ROWS]


def test_the_row_is_named(tmp_path: Path) -> None:
    folder = byte_model(tmp_path / "model", merges=(("A", "n"), ("An", "s"), ("w", "e"), ("we", "r"), ("Ans", "wer")))
    rows = [{"context": "Answer: ", "completion": "four"}, {"context": "Ans", "completion": "wer"}]
    (tmp_path / "sums.jsonl").write_text("\n".join(map(json.dumps, rows)))
    config = load_config(None, {"model": str(folder), "tasks": [f"arithmetic_1dc={tmp_path / 'sums.jsonl'}"]})
    sentence = r"sums\.jsonl, line 2: the tokenizer joins the end of the prompt and the choice 'wer', so that no token"
    with pytest.raises(CornerstoneError, match=sentence):
        open_workbench(config)


def test_a_tokenizer_without_bos_and_eos_works_but_for_an_empty_prompt(tmp_path: Path) -> None:
    model = loaded(byte_model(tmp_path, ends=False))
    encoder, asked = RequestEncoder(model), instance("Once upon", " a time")
    assert (model.tokenizer.bos_token_id, model.tokenizer.eos_token_id) == (None, None)
    (part,) = encoder.encode(asked)
    # lm-eval needs to be told of a token to stand before an empty prompt; for others it makes no difference.
    lm = HFLM(pretrained=model.model, tokenizer=model.tokenizer, batch_size=1, prefix_token_id=3)
    assert (list(part.context), list(part.continuation)) == tuple(lm._encode_pair(*asked.args))
    with pytest.raises(EncodingFaultError, match="there is no prompt, and the tokenizer has neither BOS nor EOS"):
        encoder.encode(instance("", "x"))
    with pytest.raises(EncodingFaultError, match="there is no prompt"):
        encoder.encode(Instance("loglikelihood_rolling", {}, ("a page",), 0))


def test_a_tokenizer_that_panics_on_a_text_is_a_sentence(tmp_path: Path) -> None:
    model = load_model(ModelSource("bytes", byte_model(tmp_path), str(tmp_path), None))
    encoder = RequestEncoder(model)
    # The library fails on a step that follows a match of nothing.
    broken = [normalizers.Replace("", "a"), normalizers.NFC()]
    model.tokenizer.backend_tokenizer.normalizer = normalizers.Sequence(broken)
    with pytest.raises(CornerstoneError, match=r"the model's tokenizer cannot encode 'Q.*': index out of bounds"):
        encoder.encode(instance("Q: ", "x"))
