"""Fingerprints: short texts that change whenever something changes on which a number depends."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path

from core.machine.paths import cache_folder

Json = None | bool | int | float | str | Sequence["Json"] | dict[str, "Json"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
# Keys that name the software that wrote the config, or its place, change no number.
_INCIDENTAL = frozenset({"transformers_version", "_name_or_path", "dtype", "torch_dtype", "use_cache"})
_TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json", "merges.txt", "tokenizer_config.json", "*.jinja")


def digest_of(value: Json) -> str:
    """Return the SHA-256 (hex) of a JSON value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def short_id(*fingerprints: str) -> str:
    """Return eight hex digits of fingerprints, by which people tell apart models or tasks of the same name."""
    return hashlib.sha256("\n".join(fingerprints).encode()).hexdigest()[:8]


def file_digest(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's bytes; cached by path, size and time of change, as weights are large."""
    resolved = path.resolve()
    if _SHA256.fullmatch(resolved.name):
        return resolved.name  # the hub cache names large files by this very digest
    stat = resolved.stat()
    memory = cache_folder("digests") / digest_of([str(resolved), stat.st_size, stat.st_mtime_ns])
    if memory.is_file():
        return memory.read_text(encoding="ascii")
    with resolved.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    memory.write_text(digest, encoding="ascii")
    return digest


def model_fingerprint(folder: Path, dtype: str) -> str:
    """Return the fingerprint of a model folder in ``dtype``: weights, configuration and tokenizer."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    tokenizer = sorted({path for pattern in _TOKENIZER_FILES for path in folder.glob(pattern)})
    return digest_of(
        {
            "weights": [file_digest(path) for path in sorted(folder.glob("*.safetensors"))],
            "config": {key: value for key, value in config.items() if key not in _INCIDENTAL},
            "tokenizer": [[path.name, file_digest(path)] for path in tokenizer],
            "dtype": dtype,
        }
    )
