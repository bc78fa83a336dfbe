"""Checks that need neither torch nor lm-eval, so that wrong input is refused within a second.

Each check calls the same function that the work calls later, so only input that the work would refuse is refused.
Light to import.
"""

from __future__ import annotations

from core.coalitions.players import Player, refuse_no_names
from core.config.model_config import ModelConfig
from core.config.run_config import RunConfig
from core.config.workers import refuse_no_ray
from core.machine.regular_file import kind_at, real_path
from core.models.adapter_check import check_adapter
from core.models.families import expected_players
from core.models.folder_check import check_folder
from core.models.gguf_header import check_gguf
from core.models.lookup import InGguf, ModelSource, look_up
from core.study.plan import schedules_of
from core.tasks.data_file import refuse_bad_file
from core.tasks.expand import expand


def refuse_at_once(config: RunConfig) -> None:
    """Refuse a run that could not be done, for the same reason for which the work itself would refuse it first.

    Raises:
        CornerstoneError: a task, a data file, a local model or its adapter is missing, the files of one are damaged, or
            the model has too few or too many layers for a schedule, or no experts where they should be players; or
            there can be no workers.
    """
    refuse_no_ray(config)
    refuse_bad_tasks(config)
    refuse_bad_model(config)


def refuse_bad_tasks(config: RunConfig) -> None:
    """Refuse the tasks of a run if one is missing, or its data are missing or damaged.

    Raises:
        CornerstoneError: one is.
    """
    # Without an index of lm-eval's tasks, which takes seconds to make, the work itself checks the names.
    expanded = expand(config, kept=True)
    for task in expanded.config.tasks:
        if task.data is not None and (task.name in expanded.sources or kind_at(task.data) == "file"):
            refuse_bad_file(real_path(task.data), task.name)


def refuse_bad_model(config: RunConfig) -> None:
    """Refuse the model of a run if it is on this machine and cannot be evaluated so.

    Raises:
        CornerstoneError: it or its adapter is missing or damaged, or its layers do not suit the run.
    """
    players = checked_players(config)
    if players is not None:
        schedules_of(config, players)
        return
    for text in config.remove:
        refuse_no_names(text)


def checked_players(choice: ModelConfig) -> tuple[Player, ...] | None:
    """Return the players that a model will have, None where only its weights tell.

    Raises:
        CornerstoneError: a local model or its adapter is missing, its files are damaged, or it has no experts where
            they should be players.
    """
    if choice.adapter is not None:
        check_adapter(choice.adapter)
    place = look_up(choice.model, revision=choice.revision, offline=choice.offline)
    if isinstance(place, InGguf):
        check_gguf(place.path)
    if not isinstance(place, ModelSource):
        return None
    check_folder(place.folder)
    return expected_players(place.folder, choice.expert_layers)
