"""Main memory that is free: a container or batch job is ended at its own limit, not at the machine's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from core.machine.free_memory import free_memory

MIB = 2**20


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def v2(group: str, limit: str, used: int, stat: str = "") -> dict[str, str]:
    folder = f"sys/fs/cgroup{group}"
    return {f"{folder}/memory.max": limit, f"{folder}/memory.current": str(used), f"{folder}/memory.stat": stat}


def test_without_control_groups_it_is_what_the_machine_has(tmp_path: Path) -> None:
    assert free_memory(tmp_path) == pytest.approx(psutil.virtual_memory().available, rel=0.2)


def test_a_groups_limit_counts_and_the_file_pages_it_can_drop(tmp_path: Path) -> None:
    job = v2("/job", f"{64 * MIB}\n", 40 * MIB, f"anon {20 * MIB}\ninactive_file {10 * MIB}\n")
    assert free_memory(write(tmp_path, {"proc/self/cgroup": "0::/job\n", **job})) == 34 * MIB


def test_the_tightest_of_the_groups_around_a_process_counts(tmp_path: Path) -> None:
    step = v2("/job/step", "max", 5 * MIB)
    job = v2("/job", str(32 * MIB), 30 * MIB)
    assert free_memory(write(tmp_path, {"proc/self/cgroup": "0::/job/step\n", **step, **job})) == 2 * MIB


def test_a_group_over_its_limit_leaves_nothing(tmp_path: Path) -> None:
    assert free_memory(write(tmp_path, {"proc/self/cgroup": "0::/\n", **v2("", "1000", 2000)})) == 0


@pytest.mark.parametrize("place", ["/docker/abc", ""], ids=["its path is there", "the mount is the group"])
def test_the_first_version_of_control_groups(tmp_path: Path, place: str) -> None:
    folder = f"sys/fs/cgroup/memory{place}"
    files = {
        "proc/self/cgroup": "5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/\n",
        f"{folder}/memory.limit_in_bytes": str(50 * MIB),
        f"{folder}/memory.usage_in_bytes": str(20 * MIB),
        f"{folder}/memory.stat": f"inactive_file {MIB}\ntotal_inactive_file {4 * MIB}\n",
    }
    assert free_memory(write(tmp_path, files)) == 34 * MIB


def test_a_limit_that_means_none_is_none(tmp_path: Path) -> None:
    unlimited = {"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": str(2**63 - 4096)}
    used = {"sys/fs/cgroup/memory/memory.usage_in_bytes": str(MIB)}
    free = free_memory(write(tmp_path, {**unlimited, **used}))
    assert free == pytest.approx(psutil.virtual_memory().available, rel=0.2)


@pytest.mark.parametrize(("limit", "counted"), [("RLIMIT_AS", "vms"), ("RLIMIT_DATA", "data")])
def test_a_limit_of_the_processs_own_counts(limit: str, counted: str) -> None:
    limited = f"""
import resource, psutil
from core.machine.free_memory import free_memory
limit = psutil.Process().memory_info().{counted} + 50 * 2**20
resource.setrlimit(resource.{limit}, (limit, limit))
print(free_memory())
"""
    told = subprocess.run([sys.executable, "-c", limited], capture_output=True, text=True, check=True).stdout
    assert 0 < int(told) <= 50 * MIB
