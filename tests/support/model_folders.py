"""Model folders of a few bytes: nothing can load them, but all that identifies a model is there."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

CONFIG = {"model_type": "llama", "hidden_size": 16, "transformers_version": "5.0"}
SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def plain_folder(folder: Path) -> Path:
    """Make a folder with its weights in one file."""
    folder.mkdir(parents=True)
    write_json(folder / "config.json", CONFIG)
    (folder / "model.safetensors").write_bytes(b"weights")
    write_json(folder / "tokenizer.json", {})
    write_json(folder / "tokenizer_config.json", {"bos_token": "<s>"})
    write_json(folder / "generation_config.json", {})
    return folder


def sharded_folder(folder: Path) -> Path:
    """Make a folder with its weights in two files and an index, and with all usual files of a tokenizer."""
    plain_folder(folder)
    (folder / "model.safetensors").unlink()
    for number, name in enumerate(SHARDS):
        (folder / name).write_bytes(f"shard {number}".encode())
    index(folder, {"b": SHARDS[1], "a": SHARDS[0]})
    (folder / "chat_template.jinja").write_text("{{ messages }}")
    (folder / "vocab.json").write_text("{}")
    (folder / "merges.txt").write_text("")
    flags = {"lstrip": False, "rstrip": False, "single_word": False, "normalized": False}
    write_json(folder / "special_tokens_map.json", {"bos_token": {"content": "<s>", **flags}})
    return folder


def index(folder: Path, weight_map: object) -> None:
    """Write an index of weights."""
    write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": 14}, "weight_map": weight_map})


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value))


def hub_cache(cache: Path, hub_id: str, model: Path, *, listed: tuple[str, ...] = (), ref: str = "main") -> Path:
    """Lay out a model folder as huggingface_hub 2.4 keeps it; return its snapshot.

    Args:
        cache: the hub cache.
        hub_id: the model's name.
        model: its files.
        listed: files of the repository that were not fetched.
        ref: the branch or tag that leads to the commit.
    """
    repository = cache / f"models--{hub_id.replace('/', '--')}"
    snapshot = repository / "snapshots" / COMMIT
    for folder in (snapshot, repository / "blobs", repository / "trees", (repository / "refs" / ref).parent):
        folder.mkdir(parents=True)
    (repository / "refs" / ref).write_text(COMMIT)
    files = {}
    for path in sorted(model.iterdir()):
        content = path.read_bytes()
        large = path.suffix == ".safetensors"
        blob = hashlib.sha256(content).hexdigest() if large else hashlib.sha1(content).hexdigest()
        (repository / "blobs" / blob).write_bytes(content)
        (snapshot / path.name).symlink_to(f"../../blobs/{blob}")
        files[path.name] = {"size": len(content), "blob_id": blob, **({"lfs_sha256": blob} if large else {})}
    files |= {name: {"size": 7, "blob_id": "0" * 40} for name in listed}
    write_json(repository / "trees" / f"{COMMIT}.json", {"format_version": 1, "files": files})
    return snapshot
