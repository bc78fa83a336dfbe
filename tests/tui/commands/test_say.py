"""`cornerstone say`: both texts and the candidates, as text and as JSON, and what is refused beforehand."""

from __future__ import annotations

import json
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.errors import CornerstoneError
from core.say.said import Manner
from tests.support.programs import cornerstone
from tests.support.small_model import small_model
from tui.commands.said import read_prompt
from tui.commands.say import ask_of

PROMPT = "The keys to the cabinet"


def test_json_has_the_texts_and_candidates_of_both(tiny_model_folder: Path) -> None:
    asked = ("say", PROMPT, "--model", tiny_model_folder, "--no-chat", "--tokens", "8", "--format", "json")
    done = cornerstone(*asked, "--remove", "ffn 1", "--remove", "Attn 0,FFN 1")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["prompt"], found["removed"], found["seed"]) == (PROMPT, ["Attn 0", "FFN 1"], None)
    model = AutoModelForCausalLM.from_pretrained(tiny_model_folder)
    tokenizer = AutoTokenizer.from_pretrained(tiny_model_folder)
    tokens = tokenizer(PROMPT, return_tensors="pt")
    layers = model.model.layers
    for who, silent in (("intact", []), ("masked", [layers[0].self_attn.o_proj, layers[1].mlp])):
        handles = [one.register_forward_hook(lambda _module, _in, out: torch.zeros_like(out)) for one in silent]
        with torch.inference_mode():
            text = model.generate(**tokens, max_new_tokens=8, do_sample=False)[0, tokens.input_ids.shape[1] :]
            shares = model(**tokens).logits[0, -1].softmax(-1)
        for handle in handles:
            handle.remove()
        assert found[who]["text"] == tokenizer.decode(text, skip_special_tokens=True)
        assert [share for _, share in found[who]["top"]] == pytest.approx(shares.topk(5).values.tolist(), abs=1e-4)


def test_text_names_what_is_removed_and_how_tokens_are_drawn(tmp_path: Path) -> None:
    folder = small_model(tmp_path / "[red]small")
    prompt = "a\x1b[31m b"
    options = ("--model", folder, "--remove", "Attn 1", "--seed", "7", "--tokens", "5")
    done = cornerstone("say", prompt, *options)
    assert done.returncode == 0, done.stderr
    assert "[red]small: drawn from all tokens (seed 7, temperature 1), at most 5 tokens" in done.stdout
    assert "no chat template" in done.stdout
    assert "without Attn 1" in done.stdout
    assert "a [31m b" in done.stdout
    assert "\x1b" not in done.stdout
    assert done.stdout.count("(cut after 5 tokens)") == 2
    assert cornerstone("say", prompt, *options).stdout == done.stdout


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (("", "--remove", "FFN 0"), "the prompt is empty; write what the model should continue"),
        (("x", "--remove", "FFN 9"), "no layer named 'FFN 9' in this model"),
        (("x", "--temperature", "2"), "give a --seed too"),
        (("x", "--dtype", "float8"), "dtype: should be 'auto'"),
    ],
)
def test_what_is_wrong_is_refused_before_the_model_is_loaded(
    wrong: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    done = cornerstone("say", *wrong, "--model", small_model(tmp_path / "small"))
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "getting ready" not in done.stderr


def test_a_prompt_is_read_from_stdin_to_the_letter_but_for_its_last_line_end(monkeypatch: pytest.MonkeyPatch) -> None:
    for taken, text in ((b"a\r\n b \r\n", "a\r\n b "), ("é\n\n".encode(), "é\n"), (b"", "")):
        monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(taken)))
        assert read_prompt() == text
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"caf\xe9")))
    with pytest.raises(CornerstoneError, match="the prompt on stdin is not UTF-8"):
        read_prompt()
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"x" * 10**6)))
    with pytest.raises(CornerstoneError, match="the prompt has more than 150 000 characters"):
        ask_of(Manner(), read_prompt())


def test_what_does_not_fit_or_is_not_there_is_refused_by_the_model(tmp_path: Path) -> None:
    folder = small_model(tmp_path / "small")
    done = cornerstone("say", "x" * 1020, "--model", folder)
    assert done.returncode == 2
    assert "it has 1 020 tokens and 40 more are asked for, but the model's context has 1 024" in done.stderr
    assert "small has no chat template" in cornerstone("say", "x", "--model", folder, "--chat").stderr
