"""The two files of a LoRA adapter that decide a model's numbers. Light to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import CornerstoneError
from core.machine.file_state import FileState
from core.records.json_object import read_json_object
from core.records.model_files import own_file

ADAPTER_CONFIG: Final = "adapter_config.json"
ADAPTER_WEIGHTS: Final = "adapter_model.safetensors"
_PICKLED: Final = "adapter_model.bin"


@dataclass(frozen=True, slots=True)
class AdapterFiles:
    """An adapter: its folder, the content of its configuration, and its weights."""

    folder: Path
    config: Mapping[str, Any]
    weights: Path

    def states(self) -> dict[Path, FileState]:
        """Return the state of each file.

        Raises:
            CornerstoneError: a file is gone.
        """
        try:
            return {path: FileState.of(path.stat()) for path in (self.folder / ADAPTER_CONFIG, self.weights)}
        except OSError as error:
            raise CornerstoneError(f"cannot read {error.filename}: {error.strerror}") from error


def adapter_files(folder: Path) -> AdapterFiles:
    """Return the files of an adapter's folder.

    Raises:
        CornerstoneError: a file is missing, damaged, no regular file or outside the folder.
    """
    try:
        if not (folder / ADAPTER_CONFIG).is_file():
            raise CornerstoneError(f"{folder} is no adapter: it has no {ADAPTER_CONFIG}")
        config = read_json_object(own_file(folder, ADAPTER_CONFIG))
        if not (folder / ADAPTER_WEIGHTS).exists() and (folder / _PICKLED).exists():
            raise CornerstoneError(
                f"{folder} has its adapter pickled; save it again with save_pretrained, as {ADAPTER_WEIGHTS} "
                "(pickles are unsafe)"
            )
        return AdapterFiles(folder, config, own_file(folder, ADAPTER_WEIGHTS))
    except OSError as error:  # a folder that may not be entered, a name that is too long
        raise CornerstoneError(f"cannot read the adapter in {folder}: {error.strerror}") from error
