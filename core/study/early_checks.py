"""What is wrong with a run as far as that shows at once: torch and lm-eval, which take seconds to load, stay away.

Nothing is judged here. Each check is the function by which the work itself refuses, asked early, so that nothing is
refused that would have worked. Light to import.
"""

from __future__ import annotations

from core.coalitions.players import refuse_no_names
from core.config.run_config import RunConfig
from core.models.families import expected_players
from core.models.lookup import ModelSource, look_up
from core.study.plan import schedules_of
from core.tasks.data_file import read_data_file
from core.tasks.index import find_task, index_file


def refuse_at_once(config: RunConfig) -> None:
    """Refuse a run that could not be done.

    Raises:
        CornerstoneError: a task, a data file or a local model is not there, or the model has too few or too many
            layers for what is asked. In the order in which the work would tell.
    """
    for task in config.tasks:
        if index_file().is_file():  # else it would have to be made, for which the work itself is soon enough
            find_task(task.name)
        if task.data is not None:
            read_data_file(task.data.resolve(), task.name)
    place = look_up(config.model, revision=config.revision, offline=config.offline)
    players = expected_players(place.folder) if isinstance(place, ModelSource) else None
    if players is not None:
        schedules_of(config, players)
        return
    for text in config.remove:
        refuse_no_names(text)
