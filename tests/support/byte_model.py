"""A tiny random model whose tokens are bytes: its folder is small, and it needs no other model's tokenizer."""

from __future__ import annotations

from pathlib import Path

CONTEXT = 256


def byte_model(
    folder: Path, *, ends: bool = True, merges: tuple[tuple[str, str], ...] = (), biases: bool = False
) -> Path:
    """Write a Llama of two layers with a byte-level tokenizer into ``folder``.

    Args:
        folder: the folder, which need not exist.
        ends: whether the tokenizer has an end-of-text token; without it there is neither BOS nor EOS.
        merges: pairs of tokens that become one token.
        biases: whether its matrix products have biases.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokens = [*sorted(pre_tokenizers.ByteLevel.alphabet()), *("".join(pair) for pair in merges)]
    tokens += ["<|end|>"] if ends else []
    vocabulary = {token: number for number, token in enumerate(tokens)}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=list(merges)))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    names = {"eos_token": "<|end|>"} if ends else {}
    PreTrainedTokenizerFast(tokenizer_object=backend, **names).save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(vocabulary) + 1,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=CONTEXT,
        bos_token_id=None,
        eos_token_id=None,
        attention_bias=biases,
        mlp_bias=biases,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3)
    model.save_pretrained(folder)
    return folder
