"""Jobs that run schedules on the open model, in this process or by workers."""

from __future__ import annotations

from collections.abc import Callable

from core.evaluator.jobs import Job
from core.records.records import Recorder
from core.study.events import StudyEvent
from core.study.listener import Callbacks, Listener
from core.study.plan import most_coalitions, schedules_of, shared_coalitions
from core.study.recorded_run import recorded_run
from core.study.workbench import Crewing, Workbench, new_run


def do_sweep(
    job: Job,
    bench: Workbench,
    recorder: Recorder,
    listener: Listener,
    crewing: Crewing,
    on_event: Callable[[StudyEvent], None],
) -> None:
    """Run the schedules of a job on the open model and tasks.

    Args:
        job: what to run.
        bench: the open model and tasks.
        recorder: keeps the outcomes.
        listener: hears of the workers, and is called between two batches; it may end the job.
        crewing: hires the workers that the job asks for.
        on_event: gets the events.

    Raises:
        CornerstoneError: something asked for is wrong or cannot be had.
    """
    schedules = schedules_of(job.config, bench.model.players)
    tasks = bench.tasks_of(job.config)
    bench.study(tasks, schedules, value=job.config.value)  # refuses what cannot be studied before workers start
    with (
        crewing(bench, job.config, listener) as crewed,
        recorded_run(recorder, new_run(job.config, job.command)) as run_id,
    ):
        listener.narrate("")
        study = crewed.study(tasks, schedules, value=job.config.value)
        documents = sum(len(task.documents) for task in tasks)
        job.begin(documents * most_coalitions(schedules), shared_coalitions(schedules))
        for event in study.run(run_id, recorder, Callbacks(on_batch=listener.on_batch), in_turn=True):
            on_event(event)
