"""The batch scripts for Slurm, run without Slurm: real Ray and a real study, and stand-ins for Slurm's programs."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.workers.test_ray import ray_is_there
from tests.faults.stored import stored
from tests.support import one_machine_slurm
from tests.support.programs import REPOSITORY
from tests.support.ray_processes import busy_workers, family, survivors

_SCRIPTS = REPOSITORY / "configs" / "slurm"
_PATIENCE_S = 240.0
_JOB = 20000 + os.getpid() % 10000
_LIMIT = 120
_OUTCOMES = _LIMIT * 2**8
"""Enough that the study still runs when it is asked to end."""
_TASKS = 6


class Job:
    """A batch script that runs, in a folder of its own."""

    def __init__(self, script: str, folder: Path, *arguments: str, path: str | None = None, **variables: str) -> None:
        self.scratch = folder / "scratch"
        self.scratch.mkdir(exist_ok=True)
        slurm = folder / "slurm"
        if not slurm.exists():
            one_machine_slurm.programs(slurm)
        own = {
            **os.environ,
            **one_machine_slurm.variables(folder, _JOB),
            "PATH": f"{slurm}:{Path(sys.executable).parent}:{os.environ['PATH']}" if path is None else path,
            "PYTHONPATH": str(REPOSITORY),
            "SCRATCH": str(self.scratch),
            **variables,
        }
        self._out = folder / "out"
        with self._out.open("wb") as out:
            self._process = subprocess.Popen(
                ["bash", str(_SCRIPTS / script), *arguments],
                cwd=folder,
                env=own,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self.pid = self._process.pid

    def done(self, code: int) -> str:
        """Wait for its end, and return what it said."""
        found = self._process.wait(_PATIENCE_S)
        said = self._out.read_text()
        assert found == code, said
        return said

    def left(self) -> list[str]:
        """Return which files it has left."""
        return [path.name for path in self.scratch.iterdir()]

    def end(self) -> None:
        for process in family(self.pid):
            process.kill()
        self._process.kill()
        self._process.wait()


@pytest.fixture
def jobs() -> Iterator[list[Job]]:
    begun: list[Job] = []
    yield begun
    for job in begun:
        job.end()


@pytest.fixture
def study(tiny_model_folder: Path, tmp_path: Path) -> str:
    file = tmp_path / "my.yaml"
    asked = f"tasks: [agreement]\nlimit: {_LIMIT}\nschedule: exact\n"
    file.write_text(f"model: {tiny_model_folder}\n{asked}store: s.duckdb\ndevice: cpu\n")
    return str(file)


@pytest.mark.slow
def test_a_job_runs_a_study_over_its_ray_and_the_next_goes_on_after_sigterm(
    study: str, tmp_path: Path, jobs: list[Job]
) -> None:
    ray_is_there()
    jobs.append(first := Job("ray.sbatch", tmp_path, study))
    assert busy_workers(first.pid, _PATIENCE_S)
    below = family(first.pid)
    os.kill(first.pid, signal.SIGTERM)
    assert "stopped by SIGTERM" in first.done(143)
    assert survivors(below, _PATIENCE_S) == first.left() == []
    kept = len(stored(tmp_path / "s.duckdb").outcomes)
    jobs.append(second := Job("ray.sbatch", tmp_path, study))
    said = second.done(0)
    assert "1 worker on the cluster" in said
    assert not kept or "already stored" in said
    found = stored(tmp_path / "s.duckdb")
    assert (len(found.outcomes), found.repeated, second.left()) == (_OUTCOMES, 0, [])


@pytest.mark.slow
def test_where_the_port_is_taken_the_job_ends_in_a_sentence(study: str, tmp_path: Path, jobs: list[Job]) -> None:
    ray_is_there()
    with socket.create_server(("", one_machine_slurm.port_of(_JOB))):
        jobs.append(job := Job("ray.sbatch", tmp_path, study))
        said = job.done(2)
    assert said.splitlines()[-1].startswith("ray.sbatch: Ray has ended on ")
    assert job.left() == []


def test_without_the_environment_the_job_ends_in_a_sentence(tmp_path: Path, jobs: list[Job]) -> None:
    one_machine_slurm.programs(tmp_path / "slurm")
    jobs.append(job := Job("ray.sbatch", tmp_path, "my.yaml", path=f"{tmp_path / 'slurm'}:/usr/bin:/bin"))
    (sentence,) = job.done(2).splitlines()
    assert sentence == "ray.sbatch: there is no cornerstone on PATH; activate the environment before sbatch"
    assert job.left() == []


def test_each_task_of_the_array_has_a_benchmark_and_a_store_of_its_own(tmp_path: Path, jobs: list[Job]) -> None:
    one_machine_slurm.programs(tmp_path / "slurm")
    cornerstone = tmp_path / "slurm" / "cornerstone"
    cornerstone.write_text('#!/bin/bash\necho "$@"\n')
    cornerstone.chmod(0o755)
    said = []
    for number in range(_TASKS):
        jobs.append(job := Job("array.sbatch", tmp_path, "my.yaml", SLURM_ARRAY_TASK_ID=str(number)))
        said.append(job.done(0).split())
    tasks = [words[3] for words in said]
    assert said == [["run", "my.yaml", "--task", task, "--store", f"stores/{task}.duckdb"] for task in tasks]
    assert len(set(tasks)) == _TASKS
    assert (tmp_path / "stores").is_dir()
