"""Model folders with a fault in them, each of which a run must refuse. Made without torch."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.bad_input import BadInput
from tests.support.bad_tokenizers import tokenizer_faults
from tests.support.bad_weights import shard_faults, weight_faults
from tests.support.damaged_file import Change, cut, folder_in_place, grown, many_values, pipe_in_place
from tests.support.small_model import (
    LAYERS,
    TOKENIZER_CONFIG,
    change_config,
    small_model,
    write_json,
)

MARK = "the file was run"
"""Code in a folder makes a file of this name beside the folder, so that a test sees that it was run."""

_WEIGHTS, _CONFIG, _TOKENIZER = "model.safetensors", "config.json", "tokenizer.json"


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
        "config cut": lambda path: cut(path / _CONFIG, 40),
        "config empty": lambda path: (path / _CONFIG).write_text(""),
        "config a list": lambda path: (path / _CONFIG).write_text("[]"),
        "config null": lambda path: (path / _CONFIG).write_text("null"),
        "config not UTF-8": lambda path: (path / _CONFIG).write_bytes(b'{"model_type": "\xff"}'),
        "config nested deep": lambda path: (path / _CONFIG).write_text('{"a":' * 9000 + "1" + "}" * 9000),
        "config lists nested deep": lambda path: (path / _CONFIG).write_text('{"a":' + "[" * 9000 + "]" * 9000 + "}"),
        "config of 100 MB": lambda path: grown(path / _CONFIG, 10**8),
        "config missing": lambda path: (path / _CONFIG).unlink(),
        "config a pipe": lambda path: pipe_in_place(path / _CONFIG),
        "config a folder": lambda path: folder_in_place(path / _CONFIG),
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
        "config of a million values": lambda path: many_values(path / _CONFIG),
        "index of a million values": _index_of_many,
        "settings for texts of a million values": lambda path: many_values(path / "generation_config.json"),
        "settings for texts a list": lambda path: (path / "generation_config.json").write_text("[]"),
        "list of a million": lambda path: change_config(path, layer_types=["full_attention"] * 10**6),
        "a billion labels": lambda path: change_config(path, num_labels=10**9),
        "dtype unknown": lambda path: change_config(path, dtype="float7"),
        "ties a text": lambda path: change_config(path, tie_word_embeddings="perhaps"),
        "more layers than weights": lambda path: change_config(path, num_hidden_layers=LAYERS + 1),
        "fewer layers than weights": lambda path: change_config(path, num_hidden_layers=LAYERS - 1),
        "weights elsewhere": lambda path: change_config(path, transformers_weights="../model.safetensors"),
        "weights pickled": lambda path: change_config(path, transformers_weights="model.bin"),
    }


def _index_of_many(path: Path) -> None:
    (path / "model.safetensors").unlink()
    many_values(path / "model.safetensors.index.json")


def drawn_faults(rng: random.Random) -> dict[str, Change]:
    """Return faults that differ from seed to seed."""
    faults: dict[str, Change] = {}
    for _ in range(40):
        key, value = rng.choice(_COUNTS), rng.choice(_NO_COUNTS)
        faults[f"{key} is {value!a:.30}"] = lambda path, key=key, value=value: change_config(path, **{key: value})
    for name, most in ((_WEIGHTS, 9000), (_CONFIG, 300), (_TOKENIZER, 5000)):
        for length in sorted(rng.sample(range(most), 8)):
            faults[f"{name} cut to {length} bytes"] = lambda path, name=name, length=length: cut(path / name, length)
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
