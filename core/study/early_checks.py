"""Checks that need neither torch nor lm-eval, so that wrong input is refused within a second.

Each check calls the same function that the work calls later, so only input that the work would refuse is refused.
Light to import.
"""

from __future__ import annotations

from core.coalitions.players import refuse_no_names
from core.config.run_config import RunConfig
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
            the model has too few or too many layers for a schedule, or no experts where they should be players.
    """
    # Without an index of lm-eval's tasks, which takes seconds to make, the work itself checks the names.
    expanded = expand(config, kept=True)
    for task in expanded.config.tasks:
        if task.data is not None and (task.name in expanded.sources or kind_at(task.data) == "file"):
            refuse_bad_file(real_path(task.data), task.name)
    if config.adapter is not None:
        check_adapter(config.adapter)
    place = look_up(config.model, revision=config.revision, offline=config.offline)
    if isinstance(place, InGguf):
        check_gguf(place.path)
    if isinstance(place, ModelSource):
        check_folder(place.folder)
    players = expected_players(place.folder, config.expert_layers) if isinstance(place, ModelSource) else None
    if players is not None:
        schedules_of(config, players)
        return
    for text in config.remove:
        refuse_no_names(text)
