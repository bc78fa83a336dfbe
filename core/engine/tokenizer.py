"""Load the tokenizer of a model, and check that the model has an embedding for each of its tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import AutoTokenizer, PretrainedConfig

from core.engine.load_faults import load_faults
from core.engine.own_code import refuse_other_class
from core.errors import CornerstoneError
from core.machine.quiet_libraries import quiet_libraries
from core.machine.whole_number import whole
from core.models.tokenizer_growth import refuse_growth_and_chance
from core.records.json_object import read_json_object

_PROBE = "The keys to the cabinet are on the table."


def load_tokenizer(folder: Path, config: PretrainedConfig, rows: int) -> Any:
    """Return the tokenizer of a model folder, as transformers loads it.

    Args:
        folder: the folder of the model.
        config: the configuration of the model.
        rows: the number of tokens that the model has an embedding for.

    Raises:
        CornerstoneError: the tokenizer is missing or damaged, needs code of its own or a library that is not installed,
            encodes text as nothing or at random, multiplies it, or has tokens that the model does not know.
    """
    refuse_growth_and_chance(folder)
    settings = folder / "tokenizer_config.json"
    with quiet_libraries(), load_faults(f"the tokenizer in {folder}", f"the tokenizer in {folder}"):
        named = read_json_object(settings).get("tokenizer_class") if settings.is_file() else None
        for name in (named, getattr(config, "tokenizer_class", None)):
            refuse_other_class(name, f"the tokenizer in {folder}")
        tokenizer = AutoTokenizer.from_pretrained(folder, config=config, trust_remote_code=False)
        last = max(_own_tokens(tokenizer), default=-1)
        encoded = tokenizer.encode(_PROBE, add_special_tokens=False)
    if last >= rows:
        raise CornerstoneError(
            f"the tokenizer in {folder} has a token {last}, but the model has embeddings for {whole(rows)} tokens "
            "only; "
            "check that both belong together"
        )
    if not encoded:
        raise CornerstoneError(f"the tokenizer in {folder} encodes English text as no token at all; check its files")
    return tokenizer


def _own_tokens(tokenizer: Any) -> set[int]:
    """Return the numbers of the tokens of the vocabulary.

    Tokens that were added later are left out. Models often lack those, such as one for padding, and no text has them.
    """
    return set(tokenizer.get_vocab().values()) - set(tokenizer.added_tokens_decoder)
