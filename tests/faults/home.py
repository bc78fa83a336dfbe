"""A home of its own for each case, so that a fault meets no settings, results or caches but the case's."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_NOWHERE = "http://127.0.0.1:9"
_KINDS = ("config", "data", "state", "cache")


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of a user, below one folder."""

    folder: Path

    @classmethod
    def made(cls, folder: Path, like: Home | None = None) -> Home:
        """Make the folders, as copies of those of another home if one is given."""
        if like is not None:
            shutil.copytree(like.folder, folder, symlinks=True, dirs_exist_ok=True)
        for kind in _KINDS:
            folder.joinpath(kind).mkdir(parents=True, exist_ok=True)
        return cls(folder)

    @property
    def store(self) -> Path:
        """Where this user keeps outcomes, if nothing else is asked for."""
        return self.folder / "data" / "cornerstone" / "results.duckdb"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a program of this user. It reaches no network, display or token."""
        kept = ("PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
        return {
            **{name: os.environ[name] for name in kept if name in os.environ},
            "HOME": str(self.folder),
            **{f"XDG_{kind.upper()}_HOME": str(self.folder / kind) for kind in _KINDS},
            "HF_HOME": str(self.folder / "huggingface"),
            "HF_HUB_OFFLINE": "1",
            "HF_DATASETS_OFFLINE": "1",
            **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), _NOWHERE),
            "PIP_NO_INDEX": "1",
            "OMP_NUM_THREADS": "1",
            "TERM": "xterm",
            "CORNERSTONE_PLUGINS": "off",
        }

    def content(self) -> Mapping[str, str]:
        """Return every file below the folder with the SHA-256 of its bytes; a folder has an empty digest."""
        return content_of(self.folder)


def content_of(folder: Path) -> Mapping[str, str]:
    """Return every path below a folder with what it holds: a digest, a link's target, or its kind."""
    return {str(path.relative_to(folder)): _what(path) for path in sorted(folder.rglob("*"))}


def _what(path: Path) -> str:
    if path.is_symlink():
        return f"link to {path.readlink()}"
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return "folder" if path.is_dir() else "special"


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return in words how two contents differ."""
    return [
        *(f"{path} was made" for path in after if path not in before),
        *(f"{path} is gone" for path in before if path not in after),
        *(f"{path} was changed" for path in before if path in after and before[path] != after[path]),
    ]
