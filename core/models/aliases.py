"""Short names for models, from ``configs/models``, and whether they are in the cache. Light to import."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources

import pydantic

from core.machine.yaml_text import load_shipped
from core.models import hub
from core.models.converted import converted_folder, is_complete


class Alias(pydantic.BaseModel, frozen=True, extra="forbid"):
    """A short name for a model, from ``configs/models``.

    The model is on the hub (``hub``), or is a GGUF ``file`` inside a Python ``package``. ``architecture`` is its
    ``model_type``, and ``layers`` the number of its decoder layers. ``config`` holds what else of its config.json
    decides the sizes of its weights, so that a study of it can be planned without its files.
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
    config: Mapping[str, int | float | bool | str] = pydantic.Field(default_factory=dict)


def aliases() -> tuple[Alias, ...]:
    """Return the aliases that ship with this package, sorted by name."""
    files = sorted((resources.files("configs") / "models").iterdir(), key=lambda file: file.name)
    return tuple(
        Alias(name=file.name.removesuffix(".yaml"), **load_shipped(file.read_text(encoding="utf-8")))
        for file in files
        if file.name.endswith(".yaml")
    )


def cached(alias: Alias) -> bool:
    """Return whether the alias can be used without a download."""
    if alias.hub is not None:
        return hub.cached_folder(alias.hub, alias.revision) is not None
    return is_complete(converted_folder(alias.name))
