"""Faults of the weights of a model folder, whole or in shards, and of another model's weights in it."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from tests.support.damaged_file import Change, cut, folder_in_place, link_in_place, pipe_in_place
from tests.support.small_model import (
    LAYERS,
    WIDTH,
    small_weights,
    write_json,
    write_weights,
)

_WEIGHTS = "model.safetensors"
_SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def weight_faults() -> dict[str, Change]:
    """Return folders whose weights are damaged, or are those of another model."""
    norm = "model.layers.0.self_attn.q_norm.weight"
    return {
        "one weight more": lambda path: write_weights(path, {**small_weights(), norm: np.ones(8, np.float32)}),
        "a bias more": lambda path: write_weights(
            path, {**small_weights(), "model.layers.1.mlp.up_proj.bias": np.ones(32, np.float32)}
        ),
        "a head of values more": lambda path: write_weights(
            path, {**small_weights(), "v_head.summary.weight": np.ones((1, WIDTH), np.float32)}
        ),
        "an encoder of images more": lambda path: write_weights(
            path, {**small_weights(), "vision_tower.patch.weight": np.ones((3, 3), np.float32)}
        ),
        **{
            f"a weight under a second name, {name}": lambda path, name=name: write_weights(  # type: ignore[misc]
                path, {**small_weights(), name: np.full(WIDTH, 5, np.float32)}
            )
            for name in ("norm.weight", "model.model.norm.weight", "layers.0.input_layernorm.weight")
        },
        "complex numbers as weights": lambda path: _header(path, _as_complex),
        "a layer more": lambda path: write_weights(path, small_weights(LAYERS + 1)),
        "a weight less": lambda path: write_weights(path, _without("model.layers.1.mlp.up_proj.weight")),
        "no embedding": lambda path: write_weights(path, _without("model.embed_tokens.weight")),
        "no weights": lambda path: write_weights(path, {}),
        "another shape": lambda path: write_weights(
            path, {**small_weights(), "model.norm.weight": np.ones(3, np.float32)}
        ),
        "whole numbers as weights": lambda path: write_weights(
            path, {**small_weights(), "model.norm.weight": np.ones(WIDTH, np.int64)}
        ),
        "weights missing": lambda path: (path / _WEIGHTS).unlink(),
        "weights pickled beside none": lambda path: (path / _WEIGHTS).rename(path / "pytorch_model.bin"),
        "weights empty": lambda path: (path / _WEIGHTS).write_bytes(b""),
        "weights a pipe": lambda path: pipe_in_place(path / _WEIGHTS),
        "weights a folder": lambda path: folder_in_place(path / _WEIGHTS),
        "weights a link to nothing": lambda path: link_in_place(path / _WEIGHTS, "/nowhere/model.safetensors"),
        "weights a device": lambda path: link_in_place(path / _WEIGHTS, "/dev/zero"),
        "header of no JSON": lambda path: _header(path, lambda _: b"nothing"),
        "header a list": lambda path: _header(path, lambda _: b"[]"),
        "header not UTF-8": lambda path: _header(
            path, lambda text: text.replace(b"model.norm", b"model.\xff\xfe\xfd\xfc")
        ),
        "header nested deep": lambda path: _header(path, lambda _: b'{"a":' * 9000 + b"1" + b"}" * 9000),
        "header of three million values": lambda path: _header(
            path, lambda _: b'{"a": [' + b",".join([b"{}"] * (3 * 10**6)) + b"]}"
        ),
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
        "shard cut": lambda path: cut(_sharded(path) / _SHARDS[1], 900),
    }


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
