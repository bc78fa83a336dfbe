"""Refuse a tokenizer that multiplies text, or that draws at random. Light to import.

Thirty steps that each double a text make 10^9 letters of one.
The steps are those of the tokenizers library, as tokenizer.json lists them. Each bound below is on letters of Unicode.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from core.errors import CornerstoneError
from core.machine.plain_text import short_repr
from core.machine.whole_number import whole
from core.records.json_object import MOST_VOCABULARY, read_json_object

MOST_LETTERS: Final = 4_096
"""What one letter may become. The long chain of ALBERT is bounded by 2,592, those of Llama, GPT-2 and Qwen by 12."""
MOST_STEPS: Final = 256

_PLAIN: Final = ("model", "decoder")
"""Parts whose types lengthen nothing by themselves."""
_SEQUENCES: Final = ("normalizers", "pretokenizers", "processors", "decoders")
_CHAINS: Final = (("normalizer", "pre_tokenizer", "model", "post_processor"), ("decoder",))
_FACTORS: Final = {
    # The most letters that Unicode's normal forms make of one (unicode.org/faq/normalization.html).
    "NFC": 3,
    "NFD": 4,
    "NFKC": 18,
    "NFKD": 18,
    "Lowercase": 2,
    "BertNormalizer": 3 * 4 * 2,  # spaces around a Chinese letter, accents apart, lower case
    "ByteLevel": 4,  # a letter for each byte
    "Metaspace": 2,  # a mark before each piece
}
_ADDED: Final = {"ByteLevel": 1, "BertProcessing": 2, "RobertaProcessing": 2, "WordPiece": 1}
_SPACED: Final = ("suffix", "word_delimiter_token")
"""What a decoder replaces by a space; where it is empty, it puts one beside each letter."""


def refuse_growth_and_chance(folder: Path) -> None:
    """Refuse the tokenizer of a model folder if it may multiply text beyond what any needs, or encodes it at random.

    Raises:
        CornerstoneError: it may, it has more steps than any tokenizer, or its file cannot be read.
    """
    for path in sorted(folder.glob("tokenizer*.json")):
        if path.name == "tokenizer_config.json":
            continue
        content = read_json_object(path, MOST_VOCABULARY)
        _refuse_chance(path, content.get("model"))
        for chain in _CHAINS:
            _refuse_chain(path, content, chain)


def _refuse_chance(path: Path, model: Any) -> None:
    """Refuse a model that leaves out merges at random, as is done in training: no number of it could be found again."""
    dropout = model.get("dropout") if isinstance(model, dict) else None
    if dropout:
        raise CornerstoneError(
            f"cannot load {path}: it has a dropout of {short_repr(dropout)}, with which it encodes a text in another "
            "way each time; set it to null"
        )


def _refuse_chain(path: Path, content: Mapping[str, Any], chain: tuple[str, ...]) -> None:
    letters, steps = 1.0, 0
    for part in chain:
        for step in _steps(content.get(part)):
            steps += 1
            factor, added = _growth(step, plain=part in _PLAIN)
            letters = letters * factor + added
            if letters > MOST_LETTERS:
                raise CornerstoneError(
                    f"cannot load {path}: its {part} may turn one letter into more than {whole(MOST_LETTERS)}, which "
                    "no tokenizer needs; get a whole copy of the model"
                )
            if steps > MOST_STEPS:
                raise CornerstoneError(
                    f"cannot load {path}: it has more than {MOST_STEPS} steps, which no tokenizer needs; get a whole "
                    "copy of the model"
                )


def _steps(part: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the steps of a part in order, those of sequences within sequences included."""
    if not isinstance(part, dict):
        return
    yield part
    for key in _SEQUENCES:
        inner = part.get(key)
        for step in inner if isinstance(inner, list) else ():
            yield from _steps(step)


def _growth(step: Mapping[str, Any], *, plain: bool) -> tuple[float, float]:
    """Return by which factor a step lengthens a text at most, and how many letters it adds besides.

    The library also reads steps without a type. So whatever a step has counts, not only what its type names.
    """
    kind = step.get("type")
    factor, added = 1.0, 0.0
    if not plain:
        factor = _FACTORS.get(kind, 1) if isinstance(kind, str) else max(_FACTORS.values())
    factor *= 1 + _length(step, "continuing_subword_prefix")
    added += _length(step, "prepend") + _length(step, "end_of_word_suffix")
    added += _ADDED.get(kind, 0) if isinstance(kind, str) else 0
    if any(step.get(key) == "" for key in _SPACED):
        factor, added = 2 * factor, added + 1
    if "pattern" in step:
        times, more = _of_replace(step.get("pattern"), _length(step, "content"))
        factor, added = factor * times, added + more
    if isinstance(step.get("precompiled_charsmap"), str):
        factor *= _longest_in(step["precompiled_charsmap"])
    if isinstance(step.get("single"), list):
        times, more = _of_template(step)
        factor, added = factor * times, added + more
    return factor, added


def _of_replace(pattern: Any, length: int) -> tuple[float, float]:
    """Return factor and addition of a replacement by ``length`` letters; a regular expression may match nothing."""
    text = pattern.get("String") if isinstance(pattern, dict) else pattern
    if isinstance(text, str) and text:
        return max(1.0, length / len(text)), 0
    return 1 + length, length


def _of_template(step: Mapping[str, Any]) -> tuple[float, float]:
    """Return how often a template has the text, and how many special tokens it adds to it."""
    tokens = step.get("special_tokens")
    known = tokens if isinstance(tokens, dict) else {}
    texts, added = 0, 0
    for piece in step["single"]:
        special = piece.get("SpecialToken") if isinstance(piece, dict) else None
        if not isinstance(special, dict):
            texts += 1
            continue
        token = known.get(str(special.get("id")))
        numbers = token.get("ids") if isinstance(token, dict) else None
        added += len(numbers) if isinstance(numbers, list) else 1
    return max(1, texts), added


def _longest_in(charsmap: str) -> int:
    """Return how many letters a map of SentencePiece makes of one: a trie, its size before it, then texts with NULs."""
    try:
        content = base64.b64decode(charsmap)
    except ValueError:
        return 1  # the library refuses it
    size = int.from_bytes(content[:4], "little")
    texts = content[4 + size :].split(b"\0")
    return max(1, *(len(text.decode(errors="replace")) for text in texts))


def _length(step: Mapping[str, Any], key: str) -> int:
    value = step.get(key)
    return len(value) if isinstance(value, str) else 0
