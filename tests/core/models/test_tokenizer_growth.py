"""A tokenizer that multiplies text or draws at random is refused before it is loaded; those of real models are not."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models

from core.errors import CornerstoneError
from core.models import tokenizer_growth
from core.models.tokenizer_growth import refuse_growth_and_chance
from tests.support.small_model import byte_tokenizer

Step = dict[str, Any]
MANY = 30


def replace(old: str, new: str) -> Step:
    return {"type": "Replace", "pattern": {"String": old}, "content": new}


def replace_regex(old: str, new: str) -> Step:
    return {"type": "Replace", "pattern": {"Regex": old}, "content": new}


def normalizers(*steps: Step) -> Step:
    return {"type": "Sequence", "normalizers": list(steps)}


def pretokenizers(*steps: Step) -> Step:
    return {"type": "Sequence", "pretokenizers": list(steps)}


def decoders(*steps: Step) -> Step:
    return {"type": "Sequence", "decoders": list(steps)}


def charsmap(text: str) -> Step:
    """Return a map of characters that makes ``text`` of one: an empty trie, and the text."""
    content = (0).to_bytes(4, "little") + f"x\0{text}\0".encode()
    return {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(content).decode()}


def template(texts: int, special: int = 0) -> Step:
    pieces = [{"Sequence": {"id": "A", "type_id": 0}}] * texts + [{"SpecialToken": {"id": "<s>", "type_id": 0}}]
    token = {"id": "<s>", "ids": [0] * special, "tokens": ["<s>"] * special}
    return {"type": "TemplateProcessing", "single": pieces, "pair": pieces, "special_tokens": {"<s>": token}}


BYTES = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
DIGITS = {"type": "Split", "pattern": {"Regex": r"\d{1,3}"}, "behavior": "Isolated", "invert": False}


def metaspace(mark: str = "▁", scheme: str = "always") -> Step:
    return {"type": "Metaspace", "replacement": mark, "prepend_scheme": scheme, "split": True}


REAL: dict[str, Step] = {
    "llama": {
        "normalizer": normalizers({"type": "Prepend", "prepend": "▁"}, replace(" ", "▁")),
        "post_processor": template(1, 1),
        "decoder": decoders(
            replace("▁", " "),
            {"type": "ByteFallback"},
            {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0},
        ),
        "model": {"type": "BPE", "byte_fallback": True, "continuing_subword_prefix": None},
    },
    "llama 3": {
        "pre_tokenizer": pretokenizers(DIGITS, BYTES),
        "post_processor": {"type": "Sequence", "processors": [BYTES, template(1, 1)]},
        "decoder": BYTES,
    },
    "gpt2": {"pre_tokenizer": {**BYTES, "add_prefix_space": True}, "post_processor": BYTES, "decoder": BYTES},
    "qwen2": {"normalizer": {"type": "NFC"}, "pre_tokenizer": pretokenizers(DIGITS, BYTES), "decoder": BYTES},
    "gemma": {
        "normalizer": replace(" ", "▁"),
        "pre_tokenizer": {**DIGITS, "pattern": {"String": " "}, "behavior": "MergedWithPrevious"},
        "post_processor": template(1, 1),
        "decoder": decoders(replace("▁", " "), {"type": "ByteFallback"}, {"type": "Fuse"}),
    },
    "mistral": {"pre_tokenizer": metaspace(scheme="first"), "decoder": metaspace()},
    "falcon": {
        "pre_tokenizer": pretokenizers(
            {"type": "Punctuation", "behavior": "Contiguous"}, BYTES, {"type": "Digits", "individual_digits": False}
        )
    },
    "albert": {
        "normalizer": normalizers(
            replace("``", '"'),
            replace("''", '"'),
            {"type": "NFKD"},
            {"type": "StripAccents"},
            {"type": "Lowercase"},
            charsmap("eighteen letters .."[:18]),
            replace_regex(" {2,}", " "),
        ),
        "pre_tokenizer": metaspace(),
        "post_processor": template(1, 1),
    },
    "no steps": {},
}


def of(path: Path, parts: Step) -> Path:
    """Write a tokenizer with these parts into a folder."""
    whole = json.loads(byte_tokenizer(special=["<s>"]).to_str())
    whole["model"] |= parts.get("model", {})
    (path / "tokenizer.json").write_text(json.dumps({**whole, **parts, "model": whole["model"]}))
    return path


@pytest.mark.parametrize("name", REAL)
def test_the_steps_of_real_tokenizers_pass(name: str, tmp_path: Path) -> None:
    refuse_growth_and_chance(of(tmp_path, REAL[name]))


GROWING: dict[str, Step] = {
    "doubled": {"normalizer": normalizers(*[replace("a", "aa")] * MANY)},
    "doubled by turns": {"normalizer": normalizers(*[replace("a", "bb"), replace("b", "aa")] * MANY)},
    "half more": {"normalizer": normalizers(*[replace("aa", "aaa")] * MANY)},
    "one long text": {"normalizer": replace("a", "a" * 5_000)},
    "one long text before": {"normalizer": {"type": "Prepend", "prepend": "a" * 5_000}},
    "a regular expression": {"normalizer": normalizers(*[replace_regex(".", "aa")] * MANY)},
    "a match of nothing": {"normalizer": normalizers(*[replace_regex("", "a")] * MANY)},
    "an empty text": {"normalizer": normalizers(*[replace("", "a")] * MANY)},
    "sequences in sequences": {"normalizer": normalizers(*[normalizers(*[replace("a", "aa")] * 5)] * 6)},
    "without types": {"normalizer": {"normalizers": [{"pattern": {"String": "a"}, "content": "aa"}] * MANY}},
    "letters taken apart": {"normalizer": normalizers(*[{"type": "NFKD"}, replace("ل", "\ufdfa")] * MANY)},
    "spaces around letters": {"normalizer": normalizers(*[{"type": "BertNormalizer"}, replace(" ", "中")] * MANY)},
    "a map of characters": {"normalizer": charsmap("a" * 5_000)},
    "bytes as letters": {"normalizer": normalizers(*[{"type": "ByteLevel"}] * MANY)},
    "bytes of pieces": {"pre_tokenizer": pretokenizers(*[BYTES] * MANY)},
    "marks by turns": {"pre_tokenizer": pretokenizers(*[metaspace("▁"), metaspace("_")] * MANY)},
    "normalizer and pieces": {
        "normalizer": normalizers(*[replace("a", "aa")] * 7),
        "pre_tokenizer": pretokenizers(*[BYTES] * 4),
    },
    "the text often": {"post_processor": template(5_000)},
    "a token of many": {"post_processor": template(1, 5_000)},
    "decoded doubled": {"decoder": decoders(*[replace("a", "aa")] * MANY)},
    "decoded spaces": {"decoder": decoders(*[{"type": "BPEDecoder", "suffix": ""}] * MANY)},
    "decoded words": {
        "decoder": decoders(*[{"type": "CTC", "pad_token": "<s>", "word_delimiter_token": "", "cleanup": False}] * MANY)
    },
    "a long prefix": {"model": {"continuing_subword_prefix": "#" * 5_000}},
    "steps without end": {"normalizer": normalizers(*[{"type": "NFD"}, {"type": "Nmt"}] * 500)},
    "more steps than any": {"normalizer": normalizers(*[{"type": "Nmt"}] * 500)},
}


@pytest.mark.parametrize("name", GROWING)
def test_a_tokenizer_that_multiplies_text_is_refused_in_one_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(CornerstoneError, match=r"cannot load .*tokenizer\.json: .*no tokenizer needs") as raised:
        refuse_growth_and_chance(of(tmp_path, GROWING[name]))
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("dropout", [0.1, 1, "0.1"])
def test_a_tokenizer_that_encodes_at_random_is_refused_in_one_sentence(dropout: object, tmp_path: Path) -> None:
    with pytest.raises(CornerstoneError, match=r"tokenizer\.json: it has a dropout of .*; set it to null"):
        refuse_growth_and_chance(of(tmp_path, {"model": {"type": "BPE", "dropout": dropout}}))
    for none in (None, 0, 0.0):
        refuse_growth_and_chance(of(tmp_path, {"model": {"type": "BPE", "dropout": none}}))


def test_a_version_of_the_tokenizer_is_checked_too(tmp_path: Path) -> None:
    of(tmp_path, GROWING["doubled"])
    (tmp_path / "tokenizer.json").rename(tmp_path / "tokenizer.5.0.0.json")
    of(tmp_path, REAL["llama"])
    with pytest.raises(CornerstoneError, match=r"tokenizer\.5\.0\.0\.json"):
        refuse_growth_and_chance(tmp_path)


@pytest.mark.parametrize(
    "parts",
    [
        {"normalizer": 3},
        {"normalizer": {"type": ["Replace"], "pattern": 3, "content": 4}},
        {"normalizer": {"type": "Sequence", "normalizers": {"a": 1}}},
        {"normalizer": {"type": "Precompiled", "precompiled_charsmap": "é"}},
        {"post_processor": {"type": "TemplateProcessing", "single": [3, None], "special_tokens": []}},
        {"post_processor": {"single": [{"SpecialToken": {"id": []}}], "special_tokens": {"[]": {"ids": 3}}}},
        {"decoder": [1]},
    ],
)
def test_steps_that_are_none_are_left_to_the_library(parts: Step, tmp_path: Path) -> None:
    refuse_growth_and_chance(of(tmp_path, parts))


STEPS = [
    replace("a", "ab"), replace("b", "é中"), replace("aa", "a"), replace(" ", "中a"), replace("x", "\ufdfa"),
    replace_regex("[a-c]", "xy"), replace_regex("a+", "a"), {"type": "Prepend", "prepend": "a▁"},
    *({"type": name} for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "ByteLevel", "Nmt")),
    {"type": "Strip", "strip_left": True, "strip_right": False},
    {"type": "BertNormalizer", "clean_text": False, "handle_chinese_chars": True, "strip_accents": True,
     "lowercase": True},
]  # fmt: skip
MATCHES_OF_NOTHING = [replace("", "ab"), replace_regex("", "ab"), replace_regex("b*", "ab")]
"""The library fails where a step follows one of these, so that they come last."""
PIECES = [BYTES, {**BYTES, "add_prefix_space": True}, metaspace("▁"), metaspace("a"), metaspace("é"), DIGITS]
LETTERS = ("a", "é", "中", "\ufdfa", "İ", "\u1fa2", " ")


def bound_of(parts: Step, folder: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Return the least number of letters that passes."""
    low, high = 0, 2**40
    while high - low > 1:
        middle = (low + high) // 2
        monkeypatch.setattr(tokenizer_growth, "MOST_LETTERS", middle)
        try:
            refuse_growth_and_chance(of(folder, parts))
            high = middle
        except CornerstoneError:
            low = middle
    return high


@pytest.mark.parametrize("seed", range(60))
def test_what_the_library_makes_of_a_letter_stays_within_the_bound(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = random.Random(seed)
    steps = rng.choices(STEPS, k=rng.randrange(5)) + rng.choices(MATCHES_OF_NOTHING, k=rng.randrange(2))
    parts = {
        "normalizer": normalizers(*steps),
        "pre_tokenizer": pretokenizers(*rng.choices(PIECES, k=rng.randrange(4))),
    }
    bound = bound_of(parts, tmp_path, monkeypatch)
    empty = json.loads(Tokenizer(models.BPE()).to_str())
    tokenizer = Tokenizer.from_str(json.dumps({**empty, **parts}))
    for letter in LETTERS:
        normalized = tokenizer.normalizer.normalize_str(letter)
        pieces = tokenizer.pre_tokenizer.pre_tokenize_str(normalized)
        assert sum(len(piece) for piece, _ in pieces) <= bound
