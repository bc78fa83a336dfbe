"""Short names for models, from ``configs/models``, and whether they are cached. Light to import."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import pydantic
import yaml

from core.machine.paths import cache_folder
from core.models import hub


class Alias(pydantic.BaseModel, frozen=True, extra="forbid"):
    """A short name for a model, from ``configs/models``: on the hub, or a GGUF ``file`` inside a Python ``package``."""

    name: str
    description: str
    hub: str | None = None
    revision: str | None = None
    package: str | None = None
    file: str | None = None
    download_mb: int | None = None


def aliases() -> tuple[Alias, ...]:
    """The aliases that ship with this package, by name."""
    files = sorted((resources.files("configs") / "models").iterdir(), key=lambda file: file.name)
    return tuple(
        Alias(name=file.name.removesuffix(".yaml"), **yaml.safe_load(file.read_text(encoding="utf-8")))
        for file in files
        if file.name.endswith(".yaml")
    )


def cached(alias: Alias) -> bool:
    """Whether the alias can be used without a download."""
    if alias.hub is not None:
        return hub.cached_folder(alias.hub, alias.revision) is not None
    return is_complete(converted_folder(alias.name))


def is_complete(folder: Path) -> bool:
    """Whether a converted model is there."""
    return (folder / "config.json").is_file()


def converted_folder(name: str) -> Path:
    """Where a model that was converted to safetensors is kept."""
    return cache_folder("models") / name
