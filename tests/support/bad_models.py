"""Model folders with a fault in them, each of which a run must refuse. Made without torch."""

from __future__ import annotations

import json
import os
import random
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from tests.support.bad_input import BadInput
from tests.support.small_model import (
    BYTES,
    LAYERS,
    TOKENIZER_CONFIG,
    VOCABULARY,
    WIDTH,
    byte_tokenizer,
    change_config,
    small_model,
    small_weights,
    write_json,
)

Change = Callable[[Path], object]
MARK = "the file was run"
"""Code in a folder makes a file of this name beside the folder, so that a test sees that it was run."""

_WEIGHTS, _CONFIG, _TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"
_SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def bad_inputs(seed: int, folder: Path) -> Iterator[BadInput]:
    """Yield a run of each bad folder. The first part is the same for all seeds, the second differs."""
    for name, model in bad_models(seed, folder):
        yield BadInput(name, "model folder", run_of(model, folder))


def run_of(model: Path, folder: Path) -> tuple[str, ...]:
    """Return the arguments of a small run of a model, with a store in ``folder``."""
    store = ("--store", str(folder / "store.duckdb"))
    return ("run", "--model", str(model), "--task", "agreement", "--limit", "2", "--offline", *store)


def bad_models(seed: int, folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield what is wrong, and a folder with that fault."""
    rng = random.Random(seed)
    groups = (code_faults(), config_faults(), weight_faults(), shard_faults(), tokenizer_faults(), drawn_faults(rng))
    changes = {name: change for group in groups for name, change in group.items()}
    for number, (name, change) in enumerate(changes.items()):
        model = small_model(folder / f"model-{number}")
        change(model)
        yield name, model


def code_faults() -> dict[str, Change]:
    """Return folders that ask for code from elsewhere."""
    hub = "kernels-community/flash-attn2"
    return {
        "tokenizer by auto_map": _foreign_tokenizer({"AutoTokenizer": [None, "evil.Evil"]}, "Evil"),
        "slow tokenizer by auto_map": _foreign_tokenizer({"AutoTokenizer": ["evil.Evil", None]}, None),
        "tokenizer by a list as auto_map": _foreign_tokenizer(["evil.Evil", None], "Evil"),
        **{f"tokenizer that is {name}": _other_class(name) for name in _NO_TOKENIZERS},
        "tokenizer in a folder below": _tokenizer_below,
        "tokenizer by auto_map of another repository": _foreign_tokenizer(
            {"AutoTokenizer": ["x/y--evil.Evil", None]}, "E"
        ),
        "unknown model type with auto_map": _foreign_model("evil"),
        "no model type with auto_map": _foreign_model(None),
        "model type of another kind with auto_map": _foreign_model("bert"),
        "auto_map that is a text": lambda path: change_config(path, auto_map="evil.Evil"),
        "attention from a hub": lambda path: change_config(path, _attn_implementation=hub),
        "attention from a hub by a revision": lambda path: change_config(path, attn_implementation=f"{hub}@main:f"),
        "attention from a library": lambda path: change_config(path, _attn_implementation="flash_attention_2"),
        "attention by part": lambda path: change_config(path, _attn_implementation={"": hub}),
        "attention that is a list": lambda path: change_config(path, _attn_implementation=[hub]),
        "experts from a hub": lambda path: change_config(path, experts_implementation="sonicmoe"),
        "fused modules": lambda path: change_config(path, fusion_config={"rms_norm": True}),
        "setting named like a method": lambda path: change_config(path, get_text_config="x"),
        "adapter beside the model": lambda path: write_json(
            path / "adapter_config.json", {"peft_type": "LORA", "base_model_name_or_path": "x/y"}
        ),
        **{f"quantized by {method!r}": _quantized(method) for method in _METHODS},
        "quantized by a list": lambda path: change_config(path, quantization_config=[1]),
    }


# Each loads its parts without saying that no code of the model may be run.
_NO_TOKENIZERS = ("AutoProcessor", "AutoImageProcessor", "AutoFeatureExtractor", "LlavaProcessor", "AutoTokenizer")
_METHODS = (
    "awq",
    "gptq",
    "bitsandbytes",
    "fp8",
    "compressed-tensors",
    "mxfp4",
    "torchao",
    "hqq",
    "quark",
    "no",
    4,
    None,
)


def config_faults() -> dict[str, Change]:
    """Return folders whose config.json is damaged, or describes no model that could be."""
    return {
        "config cut": lambda path: _cut(path / _CONFIG, 40),
        "config empty": lambda path: (path / _CONFIG).write_text(""),
        "config a list": lambda path: (path / _CONFIG).write_text("[]"),
        "config null": lambda path: (path / _CONFIG).write_text("null"),
        "config not UTF-8": lambda path: (path / _CONFIG).write_bytes(b'{"model_type": "\xff"}'),
        "config nested deep": lambda path: (path / _CONFIG).write_text('{"a":' * 9000 + "1" + "}" * 9000),
        "config lists nested deep": lambda path: (path / _CONFIG).write_text('{"a":' + "[" * 9000 + "]" * 9000 + "}"),
        "config of 100 MB": lambda path: _grown(path / _CONFIG, 10**8),
        "config missing": lambda path: (path / _CONFIG).unlink(),
        "config a pipe": lambda path: _pipe(path / _CONFIG),
        "config a folder": lambda path: _folder(path / _CONFIG),
        "no model type": lambda path: (path / _CONFIG).write_text('{"vocab_size": 5}'),
        "model type a number": lambda path: change_config(path, model_type=3),
        "model type a list": lambda path: change_config(path, model_type=["llama"]),
        "model type not supported": lambda path: change_config(path, model_type="bert"),
        "activation unknown": lambda path: change_config(path, hidden_act="nothing"),
        "activation a number": lambda path: change_config(path, hidden_act=3),
        "padding beyond the vocabulary": lambda path: change_config(path, pad_token_id=10**6),
        "odd width of a head": lambda path: change_config(path, head_dim=7),
        "rotation unknown": lambda path: change_config(path, rope_scaling={"rope_type": "spiral", "factor": 2.0}),
        "rotation a text": lambda path: change_config(path, rope_parameters="default"),
        "rotation without a type": lambda path: change_config(path, rope_scaling={"type": 3}),
        "list of a million": lambda path: change_config(path, layer_types=["full_attention"] * 10**6),
        "a billion labels": lambda path: change_config(path, num_labels=10**9),
        "dtype unknown": lambda path: change_config(path, dtype="float7"),
        "ties a text": lambda path: change_config(path, tie_word_embeddings="perhaps"),
        "more layers than weights": lambda path: change_config(path, num_hidden_layers=LAYERS + 1),
        "fewer layers than weights": lambda path: change_config(path, num_hidden_layers=LAYERS - 1),
        "weights elsewhere": lambda path: change_config(path, transformers_weights="../model.safetensors"),
        "weights pickled": lambda path: change_config(path, transformers_weights="model.bin"),
    }


def weight_faults() -> dict[str, Change]:
    """Return folders whose weights are damaged, or are those of another model."""
    norm = "model.layers.0.self_attn.q_norm.weight"
    return {
        "one weight more": lambda path: _weights(path, {**small_weights(), norm: np.ones(8, np.float32)}),
        "a bias more": lambda path: _weights(
            path, {**small_weights(), "model.layers.1.mlp.up_proj.bias": np.ones(32, np.float32)}
        ),
        "a head of values more": lambda path: _weights(
            path, {**small_weights(), "v_head.summary.weight": np.ones((1, WIDTH), np.float32)}
        ),
        "an encoder of images more": lambda path: _weights(
            path, {**small_weights(), "vision_tower.patch.weight": np.ones((3, 3), np.float32)}
        ),
        **{
            f"a weight under a second name, {name}": lambda path, name=name: _weights(  # type: ignore[misc]
                path, {**small_weights(), name: np.full(WIDTH, 5, np.float32)}
            )
            for name in ("norm.weight", "model.model.norm.weight", "layers.0.input_layernorm.weight")
        },
        "complex numbers as weights": lambda path: _header(path, _as_complex),
        "a layer more": lambda path: _weights(path, small_weights(LAYERS + 1)),
        "a weight less": lambda path: _weights(path, _without("model.layers.1.mlp.up_proj.weight")),
        "no embedding": lambda path: _weights(path, _without("model.embed_tokens.weight")),
        "no weights": lambda path: _weights(path, {}),
        "another shape": lambda path: _weights(path, {**small_weights(), "model.norm.weight": np.ones(3, np.float32)}),
        "whole numbers as weights": lambda path: _weights(
            path, {**small_weights(), "model.norm.weight": np.ones(WIDTH, np.int64)}
        ),
        "weights missing": lambda path: (path / _WEIGHTS).unlink(),
        "weights pickled beside none": lambda path: (path / _WEIGHTS).rename(path / "pytorch_model.bin"),
        "weights empty": lambda path: (path / _WEIGHTS).write_bytes(b""),
        "weights a pipe": lambda path: _pipe(path / _WEIGHTS),
        "weights a folder": lambda path: _folder(path / _WEIGHTS),
        "weights a link to nothing": lambda path: _link(path / _WEIGHTS, "/nowhere/model.safetensors"),
        "weights a device": lambda path: _link(path / _WEIGHTS, "/dev/zero"),
        "header of no JSON": lambda path: _header(path, lambda _: b"nothing"),
        "header a list": lambda path: _header(path, lambda _: b"[]"),
        "header not UTF-8": lambda path: _header(
            path, lambda text: text.replace(b"model.norm", b"model.\xff\xfe\xfd\xfc")
        ),
        "header nested deep": lambda path: _header(path, lambda _: b'{"a":' * 9000 + b"1" + b"}" * 9000),
        "header longer than the file": lambda path: _length(path, 10**9),
        "header longer than anything": lambda path: _length(path, 2**63),
        "header of no bytes": lambda path: _length(path, 0),
        "tensor beyond the end": lambda path: _entry(path, data_offsets=[0, 10**12], shape=[10**12 // 4]),
        "tensor that ends before it begins": lambda path: _entry(path, data_offsets=[64, 0]),
        "tensor over another": lambda path: _entry(path, data_offsets=[0, WIDTH * 4]),
        "shape negative": lambda path: _entry(path, shape=[-WIDTH]),
        "shape fractional": lambda path: _entry(path, shape=[16.0]),
        "shape that overflows": lambda path: _entry(path, shape=[2**62, 2**62]),
        "type unknown": lambda path: _entry(path, dtype="F7"),
        "entry a number": lambda path: _header(path, lambda _: b'{"a": 3}'),
    }


def shard_faults() -> dict[str, Change]:
    """Return folders whose weights lie in two files, with a fault in these or in their index."""
    return {
        "shard missing": lambda path: (_sharded(path) / _SHARDS[1]).unlink(),
        "shard elsewhere": lambda path: _index(_sharded(path), {"a": "../other/model.safetensors"}),
        "shard of an absolute path": lambda path: _index(_sharded(path), {"a": "/etc/passwd"}),
        "index a list": lambda path: _index(_sharded(path), []),
        "index without a map": lambda path: write_json(_sharded(path) / f"{_WEIGHTS}.index.json", {}),
        "index of numbers": lambda path: _index(_sharded(path), {"a": 1}),
        "index of pickles": lambda path: _index(_sharded(path), {"a": "pytorch_model.bin"}),
        "index of one shard": lambda path: _index(_sharded(path), {"a": _SHARDS[0]}),
        "a weight in two shards": lambda path: save_file(
            {**load_file(_sharded(path) / _SHARDS[1]), **load_file(path / _SHARDS[0])}, path / _SHARDS[1]
        ),
        "shard cut": lambda path: _cut(_sharded(path) / _SHARDS[1], 900),
    }


def tokenizer_faults() -> dict[str, Change]:
    """Return folders whose tokenizer is damaged, or belongs to another model."""
    file, settings = _TOKENIZER, "tokenizer_config.json"
    return {
        "tokenizer missing": lambda path: (path / file).unlink(),
        "tokenizer empty": lambda path: (path / file).write_text(""),
        "tokenizer a list": lambda path: (path / file).write_text("[]"),
        "tokenizer an empty object": lambda path: (path / file).write_text("{}"),
        "tokenizer nested deep": lambda path: (path / file).write_text('{"a":' + "[" * 9000 + "]" * 9000 + "}"),
        "tokenizer a pipe": lambda path: _pipe(path / file),
        "tokenizer of 100 MB": lambda path: _grown(path / file, 10**8),
        "tokenizer without a model": lambda path: _tokenizer(path, model=None),
        "tokenizer of an unknown model": lambda path: _tokenizer(path, model={"type": "Magic", "vocab": {}}),
        "tokenizer without tokens": lambda path: _tokenizer(
            path, model={"type": "BPE", "vocab": {}, "merges": []}, added_tokens=[]
        ),
        "tokenizer with merges of unknown tokens": lambda path: _tokenizer(
            path, model={"type": "BPE", "vocab": {"a": 0}, "merges": ["x y"]}
        ),
        "tokenizer settings cut": lambda path: _cut(path / settings, 30),
        "tokenizer settings a list": lambda path: (path / settings).write_text("[]"),
        "tokenizer settings a pipe": lambda path: _pipe(path / settings),
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


def drawn_faults(rng: random.Random) -> dict[str, Change]:
    """Return faults that differ from seed to seed."""
    faults: dict[str, Change] = {}
    for _ in range(40):
        key, value = rng.choice(_COUNTS), rng.choice(_NO_COUNTS)
        faults[f"{key} is {value!a:.30}"] = lambda path, key=key, value=value: change_config(path, **{key: value})
    for name, most in ((_WEIGHTS, 9000), (_CONFIG, 300), (_TOKENIZER, 5000)):
        for length in sorted(rng.sample(range(most), 8)):
            faults[f"{name} cut to {length} bytes"] = lambda path, name=name, length=length: _cut(path / name, length)
    for _ in range(10):
        length = rng.choice((1, 8, 9, 100, 5000))
        junk = rng.randbytes(length)
        faults[f"weights of junk: {junk[:6].hex()}"] = lambda path, junk=junk: (path / _WEIGHTS).write_bytes(junk)
    return faults


_COUNTS = (
    "num_hidden_layers",
    "hidden_size",
    "intermediate_size",
    "num_attention_heads",
    "vocab_size",
    "max_position_embeddings",
)
_NO_COUNTS: tuple[Any, ...] = (
    0, -1, 0.5, 2.0, "many", "2", True, None, [], [2], {}, {"a": 1}, 10**13, 2**63, 2**64, 10**400, float("nan"),
    float("inf"), -(10**9),
)  # fmt: skip


def _foreign_tokenizer(auto_map: object, name: str | None) -> Change:
    def change(path: Path) -> None:
        _write_code(path)
        named = {} if name is None else {"tokenizer_class": name}
        kept = {key: value for key, value in TOKENIZER_CONFIG.items() if key != "tokenizer_class"}
        write_json(path / "tokenizer_config.json", {**kept, **named, "auto_map": auto_map})

    return change


def _foreign_model(model_type: str | None) -> Change:
    def change(path: Path) -> None:
        _write_code(path)
        names = ("AutoConfig", "AutoModelForCausalLM", "AutoTokenizer")
        change_config(path, model_type=model_type, auto_map=dict.fromkeys(names, "evil.Evil"))

    return change


def _write_code(path: Path) -> None:
    mark = path.parent / MARK
    (path / "evil.py").write_text(f"import pathlib\npathlib.Path({str(mark)!r}).touch()\nclass Evil: pass\n")


def _quantized(method: object) -> Change:
    return lambda path: change_config(path, quantization_config={"quant_method": method, "bits": 4, "group_size": 128})


def _sentencepiece(path: Path) -> None:
    (path / _TOKENIZER).unlink()
    (path / "tokenizer.model").write_bytes(b"\x0a\x0e\x0a\x05<unk>\x15\x00\x00\x00\x00\x18\x02")
    write_json(path / "tokenizer_config.json", {**TOKENIZER_CONFIG, "tokenizer_class": "LlamaTokenizer"})


def _other_class(name: str) -> Change:
    """Name a class of transformers that is no tokenizer, and whose parts ask for code in the folder."""

    def change(path: Path) -> None:
        _write_code(path)
        kinds = ("AutoProcessor", "AutoImageProcessor", "AutoFeatureExtractor", "AutoModel")
        auto_map = {**dict.fromkeys(kinds, "evil.Evil"), "AutoTokenizer": ["evil.Evil", "evil.Evil"]}
        for file in ("processor_config.json", "preprocessor_config.json"):
            write_json(path / file, {"auto_map": auto_map, "image_processor_type": "Evil"})
        write_json(path / "tokenizer_config.json", {"tokenizer_class": name, "auto_map": auto_map})

    return change


def _tokenizer_below(path: Path) -> None:
    """Name a class that loads two tokenizers from folders below, each of which asks for code."""
    for name in ("question_encoder_tokenizer", "generator_tokenizer"):
        (path / name).mkdir()
        _foreign_tokenizer({"AutoTokenizer": ["evil.Evil", "evil.Evil"]}, "Evil")(path / name)
        write_json(path / name / _CONFIG, {"model_type": "evil", "auto_map": {"AutoConfig": "evil.Evil"}})
    write_json(path / "tokenizer_config.json", {"tokenizer_class": "RagTokenizer"})


def _smaller_vocabulary(path: Path) -> None:
    weights = {name: one[:100] if len(one) == VOCABULARY else one for name, one in small_weights().items()}
    _weights(path, weights)
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


def _weights(path: Path, weights: dict[str, Any]) -> None:
    save_file(weights, path / _WEIGHTS, metadata={"format": "pt"})


def _without(name: str) -> dict[str, Any]:
    return {key: value for key, value in small_weights().items() if key != name}


def _sharded(path: Path) -> Path:
    weights = load_file(path / _WEIGHTS)
    (path / _WEIGHTS).unlink()
    half = len(weights) // 2
    parts = (dict(list(weights.items())[:half]), dict(list(weights.items())[half:]))
    for name, part in zip(_SHARDS, parts, strict=True):
        save_file(part, path / name, metadata={"format": "pt"})
    _index(path, {key: name for name, part in zip(_SHARDS, parts, strict=True) for key in part})
    return path


def _index(path: Path, weight_map: object) -> None:
    write_json(path / f"{_WEIGHTS}.index.json", {"metadata": {}, "weight_map": weight_map})


def _header(path: Path, change: Callable[[bytes], bytes]) -> None:
    content = (path / _WEIGHTS).read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = change(content[8 : 8 + length])
    (path / _WEIGHTS).write_bytes(struct.pack("<Q", len(header)) + header + content[8 + length :])


def _entry(path: Path, **parts: object) -> None:
    def change(text: bytes) -> bytes:
        header = json.loads(text)
        header["model.norm.weight"] |= parts
        return json.dumps(header).encode()

    _header(path, change)


def _as_complex(text: bytes) -> bytes:
    header = json.loads(text)
    header["model.norm.weight"] |= {"dtype": "C64", "shape": [WIDTH // 2]}
    return json.dumps(header).encode()


def _length(path: Path, length: int) -> None:
    content = (path / _WEIGHTS).read_bytes()
    (path / _WEIGHTS).write_bytes(struct.pack("<Q", length) + content[8:])


def _cut(path: Path, length: int) -> None:
    path.write_bytes(path.read_bytes()[:length])


def _grown(path: Path, size: int) -> None:
    with path.open("ab") as file:
        file.truncate(size)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _link(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)
