"""Folders of tiny models of any decoder type, with a tokenizer of bytes, as the command line opens them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerFast

from tests.support.decoder_sizes import BOS, EOS, VOCABULARY
from tests.support.decoder_types import tiny_decoder
from tests.support.small_model import byte_tokenizer


def decoder_folder(name: str, folder: Path, **settings: Any) -> Path:
    """Write a tiny random model of a type into ``folder``, which need not exist."""
    model = tiny_decoder(name, **settings)
    model.save_pretrained(folder)
    special = ["<s>", "</s>", "<pad>", *(f"<special {number}>" for number in range(EOS + 2, VOCABULARY))]
    tokenizer = byte_tokenizer(special)
    assert (tokenizer.token_to_id("<s>"), tokenizer.token_to_id("</s>")) == (BOS, EOS)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    ).save_pretrained(folder)
    return folder
