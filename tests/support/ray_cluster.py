"""A cluster of ``tests.support.ray_nodes`` as a test has it: runs on it, and nodes that come and go."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.support.model_folders import hub_cache
from tests.support.programs import MAIN, REPOSITORY, Program
from tests.support.ray_nodes import NODES, caches
from tests.support.ray_processes import workers

MODEL = "house/tiny"
_ENDS_S = 300.0


@dataclass(frozen=True, slots=True)
class Nodes:
    """A cluster that runs: its address, and the folder with the token and with the caches of its nodes."""

    address: str
    folder: Path
    process: subprocess.Popen[str]

    def begin(self, store: Path, *more: str, **environment: str) -> Program:
        """Start a study of ``MODEL`` by a driver on the first node."""
        asked = ["run", "--model", MODEL, "--task", "agreement", "--schedule", "windows", "--store", str(store)]
        own = {**_environment(self.folder), **environment}
        return Program([*MAIN, *asked, *more], folder=store.parent, environment=own, whole=True)

    def tell(self, what: str, name: str) -> None:
        """Have a node lost, or one more added, and wait until that is done."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what} {name}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == f"{what} {name}\n"

    def busy(self, name: str) -> list[psutil.Process]:
        """Return the workers of a node that evaluate a chunk right now."""
        cache = caches(self.folder, name)["XDG_CACHE_HOME"]
        found = workers(self.process.pid, busy=True)
        return [worker for worker in found if worker.environ().get("XDG_CACHE_HOME") == cache]


@contextmanager
def nodes_of(model: Path, folder: Path, names: tuple[str, ...] = NODES) -> Iterator[Nodes]:
    """Run a cluster whose nodes have a model in their caches, also those of ``names`` that are added later."""
    for name in names:
        hub_cache(folder / name / "hf" / "hub", MODEL, model)
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_hex(32))
    command = [sys.executable, "-m", "tests.support.ray_nodes", str(folder)]
    with subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env=_environment(folder),
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as cluster:
        assert cluster.stdout is not None
        address = cluster.stdout.readline().strip()
        if not address:
            pytest.skip("Ray's own programs did not start on this machine")
        yield Nodes(address, folder, cluster)
        cluster.communicate(timeout=_ENDS_S)


def _environment(folder: Path) -> dict[str, str]:
    return {**os.environ, **caches(folder, "first"), "RAY_AUTH_TOKEN_PATH": str(folder / "token")}
