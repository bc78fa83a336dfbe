"""The model hub: look into its cache, and download models. Only safetensors are accepted, no pickled weights."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from core.errors import CornerstoneError, Mend
from core.machine.byte_count import Told, in_bytes, untold, watched
from core.models.download_count import DownloadCount, bars_of
from core.records.json_object import read_json_object
from core.records.model_files import CONFIG, has_vocabulary, missing_of, model_files

_WANTED = ("*.safetensors", "*.json", "*.model", "*.txt", "*.jinja")
_UNWANTED = ("*/*", "consolidated*.safetensors")


def cached_folder(hub_id: str, revision: str | None) -> Path | None:
    """Return the folder of a model that is complete in the hub cache, or None.

    The hub library itself would call it incomplete, because ``download`` leaves out files that no model needs.
    """
    from huggingface_hub import try_to_load_from_cache

    try:
        config = try_to_load_from_cache(hub_id, CONFIG, revision=revision)
    except (OSError, ValueError):  # a name that cannot be one, or a damaged cache
        return None
    if not isinstance(config, str):
        return None
    folder = Path(config).parent
    return folder if _is_complete(folder) else None


def commit_of(folder: Path) -> str | None:
    """Return the commit of a folder in the hub cache, or None for another folder."""
    return folder.name if folder.parent.name == "snapshots" else None


@dataclass(frozen=True, slots=True)
class HubModel:
    """What the hub says of a model: its config.json, the size of its download, and its parameters if they are known."""

    config: Mapping[str, Any]
    download_bytes: int
    parameters: int | None


def look_at(hub_id: str, revision: str | None) -> HubModel:
    """Ask the hub what a model is. Of its files only config.json is fetched, and not kept.

    Raises:
        CornerstoneError: there is no such model or revision, access is gated, it has no safetensors or no config.json,
            or the hub cannot be reached.
    """
    from huggingface_hub import hf_hub_download

    with _hub_faults(hub_id, revision), TemporaryDirectory() as folder:
        info, sizes = _listed(hub_id, revision)
        if CONFIG not in {sibling.rfilename for sibling in info.siblings or []}:
            raise CornerstoneError(f"{hub_id} has no {CONFIG} on the hub, so it is no model that transformers can load")
        config = read_json_object(Path(hf_hub_download(hub_id, CONFIG, revision=revision, local_dir=folder)))
    held = getattr(info.safetensors, "total", None)
    return HubModel(config, sum(sizes.values()), held if isinstance(held, int) else None)


def download(hub_id: str, revision: str | None, narrate: Callable[[str], None], told: Told = untold) -> Path:
    """Announce the size of a model and download it into the hub cache.

    Args:
        hub_id: the model.
        revision: its revision.
        narrate: hears of it.
        told: hears how far it is. What it raises ends the download; what is there of a file is used the next time.

    Raises:
        CornerstoneError: there is no such model or revision, access is gated, it has no safetensors or damaged files,
            or the hub cannot be reached.
    """
    with _hub_faults(hub_id, revision):
        info, sizes = _listed(hub_id, revision)
        narrate(f"downloading {hub_id} ({in_bytes(sum(sizes.values()))}) into the hub cache")
        _forget_damaged_listing(hub_id, info.sha)
        snapshot = _repository(hub_id) / "snapshots" / str(info.sha)
        there = sum(size for name, size in sizes.items() if (snapshot / name).exists())
        folder = _fetched(hub_id, revision, DownloadCount(there), lambda done: told(done, sum(sizes.values())))
    model_files(folder)
    return folder


def _fetched(hub_id: str, revision: str | None, count: DownloadCount, told: Callable[[int], None]) -> Path:
    from huggingface_hub import snapshot_download

    def fetch() -> Path:
        return Path(
            snapshot_download(
                hub_id,
                revision=revision,
                allow_patterns=list(_WANTED),
                ignore_patterns=list(_UNWANTED),
                tqdm_class=bars_of(count),
            )
        )

    try:
        return watched(fetch, lambda: told(count.done))
    finally:
        count.stop()


def _listed(hub_id: str, revision: str | None) -> tuple[Any, dict[str, int]]:
    """Return what the hub says of a repository, and the sizes of the files that a model may need."""
    from huggingface_hub import HfApi

    info = HfApi().model_info(hub_id, revision=revision, files_metadata=True)
    sizes = {sibling.rfilename: sibling.size or 0 for sibling in info.siblings or []}
    names = _wanted(sizes)
    if not any(name.endswith(".safetensors") for name in names):
        raise CornerstoneError(f"{hub_id} has no safetensors weights on the hub; pickled weights are not loaded")
    return info, {name: sizes[name] for name in names}


@contextmanager
def _hub_faults(hub_id: str, revision: str | None) -> Iterator[None]:
    """Turn what the hub's library raises into one sentence."""
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        HTTPError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        yield
    except GatedRepoError as error:
        said = f"{hub_id} is gated: ask for access on the hub, then log in"
        raise CornerstoneError(said, Mend.LOG_IN_TO_HUB) from error
    except RevisionNotFoundError as error:
        raise CornerstoneError(f"{hub_id} has no revision {revision!r} on the hub") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise CornerstoneError(f"no model {hub_id!r} on the hub, or it is private and you are not logged in") from error
    except (HfHubHTTPError, OfflineModeIsEnabled, HTTPError, OSError) as error:
        if getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT}:
            raise CornerstoneError(f"the disk is full: {hub_id} did not fit into the hub cache") from error
        if getattr(error, "errno", None) in {errno.EACCES, errno.EPERM, errno.EROFS}:
            raise CornerstoneError(f"the hub cache may not be written, so {hub_id} was not fetched") from error
        raise CornerstoneError(f"no model {hub_id!r} on this machine, and the hub could not be reached") from error


def _is_complete(folder: Path) -> bool:
    """Return whether a snapshot holds all that is loaded of a model: weights, configuration and tokenizer."""
    listed = _listing(_listing_file(folder))
    try:
        model_files(folder)
        links = _wanted(path.name for path in folder.iterdir())
        whole = all((folder / name).is_file() for name in links)  # not those whose file is gone
        return whole and has_vocabulary(folder) and not missing_of(_wanted(listed or ()), folder)
    except (CornerstoneError, OSError):
        return False


def _wanted(names: Iterable[str]) -> list[str]:
    """Return the names of a repository's files that a model may need."""
    from huggingface_hub.utils import filter_repo_objects

    return list(filter_repo_objects(names, allow_patterns=list(_WANTED), ignore_patterns=list(_UNWANTED)))


def _listing_file(folder: Path) -> Path:
    """Return the file in which the hub library keeps the names of all files of a snapshot's repository."""
    return folder.parent.parent / "trees" / f"{folder.name}.json"


def _listing(file: Path) -> list[str] | None:
    """Return the names of a repository's files; None if they are not kept, or the file is damaged."""
    try:
        content = read_json_object(file)
    except CornerstoneError:
        return None
    match content:
        case {"format_version": 1, "files": dict(files)} if all(isinstance(one, dict) for one in files.values()):
            return [*files]
    return None


def _forget_damaged_listing(hub_id: str, commit: str | None) -> None:
    """Delete a listing that the hub library would fail to read; it is fetched again."""
    file = _listing_file(_repository(hub_id) / "snapshots" / str(commit))
    if _listing(file) is None:
        with suppress(OSError):
            file.unlink()


def hub_cache() -> Path:
    """Return the folder in which the hub's library keeps what it has fetched."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE).expanduser()


def _repository(hub_id: str) -> Path:
    return hub_cache() / f"models--{hub_id.replace('/', '--')}"
