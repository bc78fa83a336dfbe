"""Run a study from Python: a configuration goes in, events come out, and every outcome is kept in a store.

from store.results import Results, Selection
from store.study import run_study

for event in run_study({"tasks": "agreement", "limit": 16, "schedule": "windows"}):
    print(event)
for row in Results().shapley(Selection(task="agreement")).rows:
    print(row.estimator, row.label, row.phi, row.phi_low, row.phi_high)

Importing this module is quick. torch is loaded when the first event is asked for.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from core.config.run_config import RunConfig, load_config
from core.study.early_checks import refuse_at_once
from core.study.events import (
    ChunkRecorded,
    CostLooked,
    DocumentsSkipped,
    MemoryShort,
    Phase,
    PhaseFinished,
    PhaseStarted,
    StudyEvent,
    TopLooked,
    TopVerdict,
    WorkersChanged,
)
from core.study.kept import kept_outcomes, stored_phases
from core.study.listener import SILENT, Callbacks, Listener
from store.file.database import refuse_unusable
from store.file.location import default_path
from store.file.patience import PATIENCE_S

if TYPE_CHECKING:
    from core.study.workbench import Announce

__all__ = [
    "Callbacks",
    "ChunkRecorded",
    "CostLooked",
    "DocumentsSkipped",
    "Listener",
    "MemoryShort",
    "Phase",
    "PhaseFinished",
    "PhaseStarted",
    "RunConfig",
    "StudyEvent",
    "TopLooked",
    "TopVerdict",
    "WorkersChanged",
    "load_config",
    "run_study",
]

_ASKED_BY = "store.study.run_study"


def run_study(
    config: RunConfig | Mapping[str, object],
    store: Path | None = None,
    listener: Listener = SILENT,
    patience: float = PATIENCE_S,
) -> Generator[StudyEvent, None, None]:
    """Run a study, and yield what happens.

    Outcomes that the store has already are not evaluated again, so a study that was stopped goes on where it was.
    Nothing is stored before all of the study was found possible. The study advances only while the caller iterates.
    Closing the generator ends the run as stopped; what was recorded stays.

    Args:
        config: the study, as ``load_config`` reads it from a YAML file, or the keys of such a file as a mapping.
        store: the file that keeps the outcomes. None for the one that ``config`` names, else the default store.
        listener: hears of steps that take long, such as loading a model, and of trouble with the store; it is called
            between layer batches.
        patience: seconds to wait for a store that is in use, before the study and after it.

    Returns:
        A generator of events, of each schedule on each task in turn: ``PhaseStarted``, a ``ChunkRecorded`` for every
        chunk of documents that was stored, and ``PhaseFinished``. ``MemoryShort`` says that chunks become smaller, and
        ``TopLooked`` or ``CostLooked`` what was decided, where ``until_top`` or ``until_cost`` asked for that. With
        workers, ``WorkersChanged`` says how many are at work, ``DocumentsSkipped`` what none of them could evaluate.

    Raises:
        CornerstoneError: a key or value is wrong, a task, data file or local model is missing, or the store cannot be
            used. The call itself raises it. The first step of the generator raises it for what shows only once the
            model and the task's data are loaded, or where the store cannot be written at all. If that shows later, the
            study goes on, and the last step raises OutcomesWaitError, which names the file that keeps the outcomes for
            the next study.
    """
    chosen = config if isinstance(config, RunConfig) else load_config(None, config)
    path = store or chosen.store or default_path()
    refuse_at_once(chosen)
    refuse_unusable(path)
    return kept_study(chosen, _ASKED_BY, path, listener, patience)


def kept_study(
    config: RunConfig,
    command: str,
    store: Path,
    listener: Listener,
    patience: float,
    announce: Announce | None = None,
) -> Generator[StudyEvent, None, None]:
    """Do the run of a configuration that was checked.

    Args:
        config: the run.
        command: is stored as what asked for it.
        store: the file that keeps the outcomes.
        listener: hears of slow work.
        patience: seconds to wait for a store that is in use.
        announce: is called before anything is evaluated.

    Raises:
        CornerstoneError: as ``run_study`` does.
    """
    from core.study.workbench import run_config, say_nothing
    from core.workers.hired import with_workers
    from store.recorder import StoreRecorder

    with kept_outcomes(partial(StoreRecorder, store, on_wait=listener.narrate), store, listener, patience) as recorder:
        events = run_config(config, command, recorder, listener, with_workers, announce or say_nothing)
        yield from stored_phases(events, recorder, patience)
