"""A whole model folder of 100 KB, made without torch: a random Llama of two layers that reads bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

BYTES = sorted(pre_tokenizers.ByteLevel.alphabet())
SPECIAL = ["<s>", "</s>"]
VOCABULARY = len(BYTES) + len(SPECIAL)
WIDTH, INNER, LAYERS, HEADS = 16, 32, 2, 2
CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "vocab_size": VOCABULARY,
    "hidden_size": WIDTH,
    "intermediate_size": INNER,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": 1,
    "max_position_embeddings": 1024,
    "bos_token_id": VOCABULARY - 2,
    "eos_token_id": VOCABULARY - 1,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-6,
    "rope_theta": 10000.0,
    "tie_word_embeddings": False,
}
TOKENIZER_CONFIG = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>"}
Weights = dict[str, np.ndarray[Any, Any]]


def small_model(folder: Path) -> Path:
    """Write the model into a new folder."""
    folder.mkdir(parents=True)
    write_json(folder / "config.json", CONFIG)
    write_json(folder / "tokenizer_config.json", TOKENIZER_CONFIG)
    write_weights(folder, small_weights())
    byte_tokenizer(special=SPECIAL).save(str(folder / "tokenizer.json"))
    return folder


def byte_tokenizer(special: list[str]) -> Tokenizer:
    """Return a tokenizer with a token for each byte, and these special tokens after them."""
    vocabulary = {token: number for number, token in enumerate([*BYTES, *special])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(special)
    return tokenizer


def small_weights(layers: int = LAYERS) -> Weights:
    """Return the weights of the model by name."""
    rng = np.random.default_rng(0)
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (VOCABULARY, WIDTH),
        "lm_head.weight": (VOCABULARY, WIDTH),
    }
    shapes |= {name: shape for layer in range(layers) for name, shape in _layer(layer).items()}
    weights = {name: rng.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes.items()}
    return {**weights, "model.norm.weight": np.ones(WIDTH, np.float32)}


def change_config(folder: Path, **settings: Any) -> None:
    """Replace settings in config.json."""
    path = folder / "config.json"
    write_json(path, {**json.loads(path.read_text()), **settings})


def write_weights(folder: Path, weights: Weights) -> None:
    """Write the weights of a model in place of those that are there."""
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value))


def _layer(layer: int) -> dict[str, tuple[int, ...]]:
    shapes = {
        "input_layernorm": (WIDTH,),
        "post_attention_layernorm": (WIDTH,),
        "self_attn.q_proj": (WIDTH, WIDTH),
        "self_attn.k_proj": (WIDTH // HEADS, WIDTH),
        "self_attn.v_proj": (WIDTH // HEADS, WIDTH),
        "self_attn.o_proj": (WIDTH, WIDTH),
        "mlp.gate_proj": (INNER, WIDTH),
        "mlp.up_proj": (INNER, WIDTH),
        "mlp.down_proj": (WIDTH, INNER),
    }
    return {f"model.layers.{layer}.{name}.weight": shape for name, shape in shapes.items()}
