"""Look at a choice before the evaluator is asked to open it: what is wrong with it, and what has to be downloaded."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Literal

from core.config.run_config import RunConfig
from core.errors import CornerstoneError
from core.machine.byte_count import in_bytes
from core.models import hub
from core.models.describe import describe
from core.models.lookup import InPackage, OnHub, look_up
from core.study.early_checks import refuse_bad_model, refuse_bad_tasks
from tui.drawing.mends import explorer_text

Field = Literal["model", "task"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found out. ``said`` says why ``field`` is refused; ``download`` has to be agreed to."""

    said: str = ""
    field: Field = "model"
    download: str = ""


def look_before(config: RunConfig) -> Verdict:
    """Return what shows of a choice without loading it. The hub is asked about a model that is only there."""
    try:
        refuse_bad_tasks(config)
    except CornerstoneError as error:
        return Verdict(explorer_text(error), "task")
    try:
        refuse_bad_model(config)
        return Verdict(download=_download(config))
    except CornerstoneError as error:
        return Verdict(explorer_text(error))


def _download(config: RunConfig) -> str:
    """Return the sentence on the download that a model needs; empty if it needs none."""
    place = look_up(config.model, revision=config.revision, offline=config.offline)
    if not isinstance(place, OnHub | InPackage):
        return ""
    size = describe(config.model, revision=config.revision).download_bytes
    if size is None and isinstance(place, OnHub):  # an alias of unknown size
        size = hub.look_at(place.hub_id, place.revision).download_bytes
    if size is None:
        return f"{config.model} must be downloaded"
    return f"{config.model} must be downloaded: {in_bytes(size)}{_room(size)}"


def _room(size: int) -> str:
    """Return how much of the disk is free, if that is less than twice what is needed."""
    folder = hub.hub_cache()
    try:
        free = shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free
    except (OSError, StopIteration):
        return ""
    return f", and {in_bytes(free)} of the disk are free" if free < 2 * size else ""
