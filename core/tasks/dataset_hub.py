"""Data sets on the hub: whether one is cached, and how large its download is."""

from __future__ import annotations

from pathlib import Path

import datasets
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError, OfflineModeIsEnabled


def dataset_cached(path: str, name: str | None) -> bool:
    """Return whether the cache holds this data set whole (or this configuration of it).

    The library writes dataset_info.json last, into a folder that it renames when all is written.
    """
    folder = Path(datasets.config.HF_DATASETS_CACHE) / path.replace("/", "___") / (name or "")
    found = folder.rglob("dataset_info.json")
    return any(not any(part.endswith(".incomplete") for part in file.parts) for file in found)


def dataset_size(path: str) -> int | None:
    """Return the size in bytes of a data set on the hub, in all configurations; None if the hub cannot be asked."""
    try:
        siblings = HfApi().dataset_info(path, files_metadata=True).siblings or []
    except (HfHubHTTPError, HFValidationError, OfflineModeIsEnabled, HTTPError, OSError):
        return None
    return sum(sibling.size or 0 for sibling in siblings)
