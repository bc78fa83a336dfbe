"""Fingerprints: short texts that change whenever something changes on which a number depends."""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import cast

from core.errors import CornerstoneError
from core.machine.cached_fact import keep_fact, read_fact
from core.machine.file_state import FileState
from core.machine.paths import cache_folder
from core.machine.regular_file import opened_regular
from core.records.adapter_files import adapter_files
from core.records.model_files import model_files

Json = None | bool | int | float | str | Sequence["Json"] | dict[str, "Json"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
# Keys that name the software that wrote the config, or its place, change no number.
_INCIDENTAL = frozenset({"transformers_version", "_name_or_path", "dtype", "torch_dtype", "use_cache"})
_INCIDENTAL_OF_ADAPTERS = frozenset(
    {"base_model_name_or_path", "revision", "peft_version", "inference_mode", "auto_mapping", "task_type"}
)


def digest_of(value: Json) -> str:
    """Return the SHA-256 (hex) of a JSON value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def short_id(*fingerprints: str) -> str:
    """Return eight hex digits of fingerprints, by which people tell apart models or tasks of the same name."""
    return hashlib.sha256("\n".join(fingerprints).encode()).hexdigest()[:8]


def file_digest(path: Path, *, check: bool = False) -> str:
    """Return the SHA-256 (hex) of a file's bytes. It is kept, as weights are large, until the file changes.

    Args:
        path: a regular file.
        check: read the file even where its digest is known.

    Raises:
        CornerstoneError: the file cannot be read, changed meanwhile, or is not what the hub cache says it is.
    """
    with opened_regular(path) as file:
        state, resolved = FileState.of(os.fstat(file.fileno())), path.resolve()
        named = _named_by_hub(resolved)
        known = None if check else _kept_digest(resolved, state)
        if known is not None and named in {None, known}:
            return known
        began = time.time_ns()
        digest = hashlib.file_digest(cast("BufferedReader", file), "sha256").hexdigest()
        if not state == FileState.of(os.fstat(file.fileno())) == FileState.of(path.stat()):
            raise CornerstoneError(f"{path} changed while it was read; run again once it is written")
    if named is not None and named != digest:
        raise CornerstoneError(f"{resolved} is not what the hub gave; delete this file and fetch the model again")
    if state.settled(began):
        _keep_digest(resolved, state, digest)
    return digest


def _named_by_hub(resolved: Path) -> str | None:
    """Return the digest by which the hub cache names a large file; None for another file."""
    repository = resolved.parent.parent
    in_hub_cache = (
        resolved.parent.name == "blobs"
        and repository.name.startswith(("models--", "datasets--"))
        and (repository / "snapshots").is_dir()
    )
    return resolved.name if in_hub_cache and _SHA256.fullmatch(resolved.name) else None


def _kept_digest(resolved: Path, state: FileState) -> str | None:
    place = _digest_file(resolved)
    digest = None if place is None else read_fact(place, _about(resolved, state))
    return digest if isinstance(digest, str) and _SHA256.fullmatch(digest) else None


def _keep_digest(resolved: Path, state: FileState, digest: str) -> None:
    if (place := _digest_file(resolved)) is not None:
        keep_fact(place, _about(resolved, state), digest)


def _digest_file(resolved: Path) -> Path | None:
    """Return the file that keeps a file's digest; None if this machine cannot keep any."""
    try:
        folder = cache_folder("digests")
    except CornerstoneError:
        return None
    return folder / f"{hashlib.sha256(os.fsencode(resolved)).hexdigest()}.json"


def _about(resolved: Path, state: FileState) -> dict[str, str | int]:
    return {"path": str(resolved), **asdict(state)}


def model_fingerprint(folder: Path, dtype: str, *, adapter: Path | None = None, check: bool = False) -> str:
    """Return the fingerprint of a model folder in ``dtype``: weights, configuration and tokenizer, as they are loaded.

    Args:
        folder: the model folder.
        dtype: the dtype in which it is loaded.
        adapter: the folder of its adapter, with which it is another model.
        check: read all files even where their digests are known.

    Raises:
        CornerstoneError: a file is missing, damaged, outside the folder, or changes meanwhile.
    """
    return _fingerprint(folder, dtype, adapter, partial(file_digest, check=check))


def with_experts(fingerprint: str, layers: Sequence[int]) -> str:
    """Return the fingerprint of a model in which the experts of some layers are players.

    Its outcomes and players have nothing to do with those of the model whose players are sublayers, whose fingerprint
    stays as it is.
    """
    return digest_of({"model": fingerprint, "experts of layers": list(layers)}) if layers else fingerprint


def kept_fingerprint(folder: Path, dtype: str) -> str | None:
    """Return the fingerprint of a model folder in ``dtype`` without reading its weights; None if it is not known.

    Raises:
        CornerstoneError: a file is missing, damaged or outside the folder.
    """
    try:
        return _fingerprint(folder, dtype, None, _only_kept)
    except LookupError:
        return None


def _only_kept(path: Path) -> str:
    with opened_regular(path) as file:
        digest = _kept_digest(path.resolve(), FileState.of(os.fstat(file.fileno())))
    if digest is None:
        raise LookupError(path)
    return digest


def _fingerprint(folder: Path, dtype: str, adapter: Path | None, digest: Callable[[Path], str]) -> str:
    files = model_files(folder)

    def named(paths: Sequence[Path]) -> list[Json]:
        return [[path.relative_to(folder).as_posix(), digest(path)] for path in paths]

    content: dict[str, Json] = {
        "weights": [digest(path) for path in files.weights],
        "config": {key: value for key, value in files.config.items() if key not in _INCIDENTAL},
        "tokenizer": named(files.tokenizer),
        "dtype": dtype,
    }
    # A model without rare files or an adapter keeps the fingerprint under which its results were stored before.
    if files.rare:
        content["rare"] = named(files.rare)
    if adapter is not None:
        added = adapter_files(adapter)
        used = {key: value for key, value in added.config.items() if key not in _INCIDENTAL_OF_ADAPTERS}
        content["adapter"] = {"config": used, "weights": digest(added.weights)}
    return digest_of(content)
