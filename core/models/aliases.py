"""Short names for models, from ``configs/models``, and whether they are in the cache. Light to import."""

from __future__ import annotations

from importlib import resources

import pydantic
import yaml

from core.models import hub
from core.models.converted import converted_folder, is_complete


class Alias(pydantic.BaseModel, frozen=True, extra="forbid"):
    """A short name for a model, from ``configs/models``.

    The model is on the hub (``hub``), or is a GGUF ``file`` inside a Python ``package``. ``architecture`` is its
    ``model_type``, and ``layers`` the number of its decoder layers.
    """

    name: str
    description: str
    hub: str | None = None
    revision: str | None = None
    package: str | None = None
    file: str | None = None
    download_mb: int | None = None
    architecture: str | None = None
    layers: int | None = None


def aliases() -> tuple[Alias, ...]:
    """Return the aliases that ship with this package, sorted by name."""
    files = sorted((resources.files("configs") / "models").iterdir(), key=lambda file: file.name)
    return tuple(
        Alias(name=file.name.removesuffix(".yaml"), **yaml.safe_load(file.read_text(encoding="utf-8")))
        for file in files
        if file.name.endswith(".yaml")
    )


def cached(alias: Alias) -> bool:
    """Return whether the alias can be used without a download."""
    if alias.hub is not None:
        return hub.cached_folder(alias.hub, alias.revision) is not None
    return is_complete(converted_folder(alias.name))
