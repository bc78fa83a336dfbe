"""Stand-ins for Slurm's programs that do on this machine what Slurm does on the first machine of a job.

``srun`` runs its command here and says which process that is, ``scancel`` sends those processes a signal, ``scontrol``
tells the name of the only machine.
"""

from __future__ import annotations

import socket
from pathlib import Path

_SRUN = """#!/bin/bash
while [[ $1 == --* ]]; do shift; done
echo $$ >> "$STEPS"
exec "$@"
"""
_SCANCEL = """#!/bin/bash
[ "$1" = --signal=TERM ] && [ "$2" = "$SLURM_JOB_ID" ] && kill -TERM $(cat "$STEPS")
"""
_SCONTROL = """#!/bin/bash
[ "$1 $2" = "show hostnames" ] && echo "$3"
"""


def programs(folder: Path) -> None:
    """Write the stand-ins into a folder, to be put on PATH."""
    folder.mkdir()
    for name, text in (("srun", _SRUN), ("scancel", _SCANCEL), ("scontrol", _SCONTROL)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)


def variables(folder: Path, job: int) -> dict[str, str]:
    """Return the environment that a batch script has, in a job of one machine with one CPU and no GPU."""
    return {
        "STEPS": str(folder / "steps"),
        "SLURM_JOB_ID": str(job),
        "SLURM_JOB_NUM_NODES": "1",
        "SLURM_JOB_NODELIST": _own_address(),
        "SLURM_CPUS_PER_TASK": "1",
    }


def _own_address() -> str:
    """Return the address at which Ray listens: a host's name may lead to the loopback interface alone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        try:
            one.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            return "127.0.0.1"
        return str(one.getsockname()[0])


def port_of(job: int) -> int:
    """Return the port at which a job's Ray listens."""
    return 20000 + job % 10000
