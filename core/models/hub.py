"""The model hub: look into its cache, and download models. Only safetensors are accepted, no pickled weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from core.errors import CornerstoneError, Mend

_WANTED = ("*.safetensors", "*.json", "*.model", "*.txt", "*.jinja")
_UNWANTED = ("*/*", "consolidated*.safetensors")


def cached_folder(hub_id: str, revision: str | None) -> Path | None:
    """Return the folder of a model that is complete in the hub cache, or None."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(hub_id, revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    return folder if _has_all_weights(folder) else None


def commit_of(folder: Path) -> str | None:
    """Return the commit of a folder in the hub cache, or None for another folder."""
    return folder.name if folder.parent.name == "snapshots" else None


def download(hub_id: str, revision: str | None, narrate: Callable[[str], None]) -> Path:
    """Announce the size of a model and download it into the hub cache.

    Raises:
        CornerstoneError: there is no such model or revision, access is gated, it has no safetensors, or the hub cannot
            be reached.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        HTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )
    from huggingface_hub.utils import filter_repo_objects

    try:
        siblings = HfApi().model_info(hub_id, revision=revision, files_metadata=True).siblings or []
        sizes = {sibling.rfilename: sibling.size or 0 for sibling in siblings}
        names = list(filter_repo_objects(sizes, allow_patterns=list(_WANTED), ignore_patterns=list(_UNWANTED)))
        if not any(name.endswith(".safetensors") for name in names):
            raise CornerstoneError(f"{hub_id} has no safetensors weights on the hub; pickled weights are not loaded")
        narrate(f"downloading {hub_id} ({sum(sizes[name] for name in names) / 1e9:.1f} GB) into the hub cache")
        return Path(snapshot_download(hub_id, revision=revision, allow_patterns=names))
    except GatedRepoError as error:
        said = f"{hub_id} is gated: ask for access on the hub, then log in"
        raise CornerstoneError(said, Mend.LOG_IN_TO_HUB) from error
    except RevisionNotFoundError as error:
        raise CornerstoneError(f"{hub_id} has no revision {revision!r} on the hub") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise CornerstoneError(f"no model {hub_id!r} on the hub, or it is private and you are not logged in") from error
    except (HfHubHTTPError, OfflineModeIsEnabled, HTTPError, OSError) as error:
        raise CornerstoneError(f"no model {hub_id!r} on this machine, and the hub could not be reached") from error


def _has_all_weights(folder: Path) -> bool:
    if not (folder / "config.json").is_file():
        return False
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return any(folder.glob("*.safetensors"))
    shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    return all((folder / shard).is_file() for shard in shards)
