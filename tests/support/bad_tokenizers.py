"""Faults of the tokenizer of a model folder, and other models' tokenizers in it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.damaged_file import Change, cut, grown, many_values, pipe_in_place
from tests.support.small_model import (
    BYTES,
    TOKENIZER_CONFIG,
    VOCABULARY,
    byte_tokenizer,
    change_config,
    small_weights,
    write_json,
    write_weights,
)

_TOKENIZER = "tokenizer.json"


def tokenizer_faults() -> dict[str, Change]:
    """Return folders whose tokenizer is damaged, or belongs to another model."""
    file, settings = _TOKENIZER, "tokenizer_config.json"
    return {
        "tokenizer missing": lambda path: (path / file).unlink(),
        "tokenizer empty": lambda path: (path / file).write_text(""),
        "tokenizer a list": lambda path: (path / file).write_text("[]"),
        "tokenizer an empty object": lambda path: (path / file).write_text("{}"),
        "tokenizer nested deep": lambda path: (path / file).write_text('{"a":' + "[" * 9000 + "]" * 9000 + "}"),
        "tokenizer a pipe": lambda path: pipe_in_place(path / file),
        "tokenizer of 100 MB": lambda path: grown(path / file, 10**8),
        "tokenizer of five million values": lambda path: many_values(path / file, 5 * 10**6),
        "tokenizer settings of a million values": lambda path: many_values(path / settings),
        "tokenizer that leaves out merges at random": lambda path: _tokenizer(
            path, model={**json.loads(byte_tokenizer(special=["<s>", "</s>"]).to_str())["model"], "dropout": 0.1}
        ),
        "tokenizer without a model": lambda path: _tokenizer(path, model=None),
        "tokenizer of an unknown model": lambda path: _tokenizer(path, model={"type": "Magic", "vocab": {}}),
        "tokenizer without tokens": lambda path: _tokenizer(
            path, model={"type": "BPE", "vocab": {}, "merges": []}, added_tokens=[]
        ),
        "tokenizer with merges of unknown tokens": lambda path: _tokenizer(
            path, model={"type": "BPE", "vocab": {"a": 0}, "merges": ["x y"]}
        ),
        "tokenizer settings cut": lambda path: cut(path / settings, 30),
        "tokenizer settings a list": lambda path: (path / settings).write_text("[]"),
        "tokenizer settings a pipe": lambda path: pipe_in_place(path / settings),
        "tokenizer class a number": lambda path: write_json(path / settings, {"tokenizer_class": 3}),
        "added tokens of no numbers": lambda path: write_json(
            path / settings, {**TOKENIZER_CONFIG, "added_tokens_decoder": {"x": {"content": "y"}}}
        ),
        "special token a number": lambda path: write_json(path / settings, {**TOKENIZER_CONFIG, "bos_token": 3}),
        "tokenizer that doubles text thirty times": lambda path: _tokenizer(path, normalizer=_doubled("normalizers")),
        "tokenizer that doubles decoded text": lambda path: _tokenizer(path, decoder=_doubled("decoders")),
        "tokenizer that doubles the text of its tokens": _doubled_tokens,
        "sentencepiece without its library": _sentencepiece,
        "tokens that the model does not know": _smaller_vocabulary,
        "token of a large number": _large_token,
    }


def _sentencepiece(path: Path) -> None:
    (path / _TOKENIZER).unlink()
    (path / "tokenizer.model").write_bytes(b"\x0a\x0e\x0a\x05<unk>\x15\x00\x00\x00\x00\x18\x02")
    write_json(path / "tokenizer_config.json", {**TOKENIZER_CONFIG, "tokenizer_class": "LlamaTokenizer"})


def _smaller_vocabulary(path: Path) -> None:
    weights = {name: one[:100] if len(one) == VOCABULARY else one for name, one in small_weights().items()}
    write_weights(path, weights)
    change_config(path, vocab_size=100, bos_token_id=1, eos_token_id=2)


def _doubled(key: str) -> dict[str, object]:
    step = {"type": "Replace", "pattern": {"String": "e"}, "content": "ee"}
    return {"type": "Sequence", key: [step] * 30}


def _doubled_tokens(path: Path) -> None:
    """Let the tokenizer double text while it is loaded, when it normalizes the tokens that were added."""
    token = {"id": 300, "content": "eee", "normalized": True, "special": False}
    rest = {"single_word": False, "lstrip": False, "rstrip": False}
    _tokenizer(path, normalizer=_doubled("normalizers"), added_tokens=[{**token, **rest}])


def _large_token(path: Path) -> None:
    vocabulary = {**{token: number for number, token in enumerate(BYTES)}, "large": 10**6}
    _tokenizer(path, model={"type": "BPE", "vocab": vocabulary, "merges": []})


def _tokenizer(path: Path, **parts: object) -> None:
    whole = json.loads(byte_tokenizer(special=["<s>", "</s>"]).to_str())
    write_json(path / _TOKENIZER, {**whole, **parts})
