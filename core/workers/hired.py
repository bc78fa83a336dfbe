"""Hire workers for an open workbench, where its run asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch

from core.config.run_config import RunConfig, absolute
from core.config.workers import refuse_no_ray
from core.engine.sizes import SHARE
from core.errors import CornerstoneError
from core.machine.free_memory import free_memory
from core.study.listener import Listener
from core.study.workbench import Workbench
from core.workers.crew import Crew, Wanted
from core.workers.documents import documents_digest, task_id
from core.workers.evaluator import CrewEvaluator
from core.workers.link import Link


@contextmanager
def with_workers(bench: Workbench, config: RunConfig, listener: Listener) -> Iterator[Workbench]:
    """Yield a workbench whose studies are evaluated by the workers that a run asks for; itself if it asks for none.

    The workers open what the workbench has open, and end with the block.

    Args:
        bench: an open workbench.
        config: the run; its ``workers``, ``ray`` and ``device`` count.
        listener: gets sentences on the workers and what each does, and is called while they start.

    Raises:
        CornerstoneError: Ray is not there, the cluster cannot be joined, or no worker can be used.
    """
    if config.workers is None and config.ray is None:
        yield bench
        return
    refuse_no_ray(config)
    wanted = Wanted(
        bench.model.record.name,
        bench.model.record.fingerprint,
        {task_id(task): documents_digest(task) for task in bench.tasks},
    )
    opened = bench.config.model_copy(
        update={
            "device": config.device,
            "dtype": bench.model.record.dtype,
            "workers": None,
            "ray": None,
            "check_files": False,
            "store": None,
        }
    )

    def check() -> None:
        listener.on_batch(0.0)

    listener.narrate("starting Ray" if config.ray is None else f"joining the Ray cluster at {config.ray}")
    with (_local if config.ray is None else _cluster)(opened, config, check) as (link, count, told):
        listener.narrate(f"starting {told}")
        crew = Crew(link, count, wanted, listener)
        try:
            crew.wait_until_ready(check)
            evaluator = CrewEvaluator(bench.model, bench.encoder.max_length, crew, bench.tasks)
            yield replace(bench, crewed=evaluator)
        finally:
            crew.leave()


@contextmanager
def _local(opened: RunConfig, config: RunConfig, check: Callable[[], None]) -> Iterator[tuple[Link, int, str]]:
    """Start Ray on this machine; yield what hires workers, how many there are to be, and what they are in words."""
    from core.workers.ray_session import local_ray

    count = config.workers or 1
    gpus = torch.cuda.device_count() if config.device in {"auto", "cuda"} else 0
    if gpus and count > gpus:
        raise CornerstoneError(
            f"there are {gpus} GPUs for {count} workers, and each needs one of its own; ask for {gpus} at most, or for "
            "the device cpu"
        )
    threads = max(1, torch.get_num_threads() // count)
    if not gpus:
        memory = config.memory or SHARE["cpu"] * free_memory() / 2**30
        opened = opened.model_copy(update={"memory": memory / count})
    each = "a GPU" if gpus else "1 thread" if threads == 1 else f"{threads} threads"
    told = f"{_workers(count)} on this machine, with {each} each"
    with local_ray(count, count if gpus else 0, check):
        from core.workers.ray_link import RayLink, Share

        share = Share(cpus=1, gpus=1 if gpus else 0, threads=None if gpus else threads)
        yield RayLink(opened.model_dump_json(), share), count, told


@contextmanager
def _cluster(opened: RunConfig, config: RunConfig, check: Callable[[], None]) -> Iterator[tuple[Link, int, str]]:
    """Join a cluster of Ray; yield what hires workers, how many there are to be, and what they are in words."""
    from core.workers.ray_session import cluster_ray

    assert config.ray is not None
    with cluster_ray(config.ray, check):
        from core.workers.ray_link import RayLink, share_of

        count, share = share_of(config.workers, accelerated=config.device in {"auto", "cuda"})
        told = f"{_workers(count)} on the cluster"
        yield RayLink(absolute(opened).model_dump_json(), share), count, told


def _workers(count: int) -> str:
    return "1 worker" if count == 1 else f"{count} workers"
