"""A study on a cluster: two nodes with caches of their own store what one process does, and nobody else is let in."""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from tests.core.workers.test_ray import ray_is_there, same
from tests.faults.stored import stored
from tests.support.model_folders import hub_cache
from tests.support.ray_cluster import MODEL, Nodes, nodes_of
from tests.support.ray_nodes import NODES

pytestmark = pytest.mark.slow

_ENDS_S = 300.0
_LIMIT = 24
_OUTCOMES = _LIMIT * (1 + 8 + 7)


def ran(nodes: Nodes, store: Path, *more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    program = nodes.begin(store, "--limit", str(_LIMIT), "--max-removed", "2", *more, **environment)
    try:
        return program.wait(_ENDS_S)
    finally:
        program.end()


@pytest.fixture(scope="module")
def nodes(tiny_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    ray_is_there()
    with nodes_of(tiny_model_folder, tmp_path_factory.mktemp("nodes")) as found:
        yield found


def test_two_nodes_with_caches_of_their_own_store_what_one_process_does(nodes: Nodes, tmp_path: Path) -> None:
    alone = ran(nodes, tmp_path / "alone.duckdb")
    assert alone.returncode == 0, alone.stderr
    done = ran(nodes, tmp_path / "s.duckdb", "--ray", nodes.address)
    assert done.returncode == 0, done.stderr
    assert "2 workers on the cluster" in done.stderr
    assert len(stored(tmp_path / "alone.duckdb").outcomes) == _OUTCOMES
    same(tmp_path / "s.duckdb", tmp_path / "alone.duckdb")
    for name in NODES:
        assert (nodes.folder / name / "cornerstone" / "layouts").exists()


def test_a_wrong_token_is_refused_in_a_sentence(nodes: Nodes, tmp_path: Path) -> None:
    wrong = ran(nodes, tmp_path / "s.duckdb", "--ray", nodes.address, RAY_AUTH_TOKEN=secrets.token_hex(32))
    assert wrong.returncode == 2
    last = wrong.stderr.splitlines()[-1]
    assert last.startswith(f"cornerstone: the Ray cluster at {nodes.address} cannot be joined: ")
    assert "Traceback" not in wrong.stderr


def test_a_node_with_other_weights_is_refused_by_name_and_the_other_goes_on(
    nodes: Nodes, tiny_model_folder: Path, tmp_path: Path
) -> None:
    other = shutil.copytree(tiny_model_folder, tmp_path / "other")
    weights = {name: 1.01 * tensor for name, tensor in load_file(other / "model.safetensors").items()}
    save_file(weights, other / "model.safetensors", metadata={"format": "pt"})
    hub = nodes.folder / "second" / "hf" / "hub"
    aside = hub.rename(tmp_path / "aside")
    hub_cache(hub, MODEL, other)
    try:
        done = ran(nodes, tmp_path / "s.duckdb", "--ray", nodes.address)
    finally:
        shutil.rmtree(hub)
        aside.rename(hub)
    assert done.returncode == 0, done.stderr
    assert re.search(r"worker \d is refused: house/tiny on .* has the fingerprint", done.stderr), done.stderr
    assert len(stored(tmp_path / "s.duckdb").outcomes) == _OUTCOMES
