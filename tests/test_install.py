"""Decisions of install.py; everyone who runs these tests has run the install itself."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import install

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("log", "sentence"),
    [
        ("WARNING: Retrying ... NewConnectionError: [Errno 111] Connection refused", "index cannot be reached"),
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk is full"),
        ("ERROR: No matching distribution found for torch==2.13.0+cpu", r"has no torch==2\.13\.0\+cpu"),
        ("ERROR: something new", "pip failed .*something new"),
    ],
)
def test_a_failed_install_is_one_sentence(log: str, sentence: str) -> None:
    assert re.search(sentence, install.explain(log))
    assert "\n" not in install.explain(log)


def test_an_old_python_is_refused() -> None:
    with pytest.raises(install.Stop, match=r"Python 3\.9 is too old"):
        install.check_python((3, 9, 1))
    install.check_python((3, 11, 0))


def test_a_full_disk_is_refused() -> None:
    with pytest.raises(install.Stop, match=r"0\.1 GB free"):
        install.check_room("here", 10**8)


def test_a_cuda_torch_that_works_is_kept() -> None:
    assert install.torch_choices("2.13.0", "2.7.1+cu126", nvidia=True) == []
    text = install.constraints_for("numpy==2\ntorch==2.13.0\nnvidia-cublas-cu12==1\ntriton==3\n", "2.7.1+cu126")
    assert text.split() == ["numpy==2", "torch==2.7.1+cu126"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the default wheel is the CPU build")
def test_the_cpu_build_is_preferred_where_there_is_no_gpu() -> None:
    assert install.torch_choices("2.13.0", None, nvidia=False) == ["torch==2.13.0+cpu", "torch==2.13.0"]
    assert install.torch_choices("2.13.0", None, nvidia=True) == ["torch==2.13.0"]


def test_every_dependency_is_pinned_within_its_bounds() -> None:
    pins = dict(
        line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")
    )
    pins = {name.lower().replace("_", "-"): version for name, version in pins.items()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for text in project["dependencies"] + project["optional-dependencies"]["dev"]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(pins[requirement.name.lower()]), text


@pytest.mark.slow
def test_an_unreachable_index_ends_the_install_with_one_sentence(tmp_path: Path) -> None:
    for name in ("install.py", "constraints.txt", "pyproject.toml", "Makefile"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    nowhere = {"PIP_CONFIG_FILE": "/dev/null", "PIP_INDEX_URL": "http://127.0.0.1:9/", "PATH": "/usr/bin:/bin"}
    command = ["make", "-C", str(tmp_path), "install", f"PYTHON={sys.executable}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=nowhere)
    assert done.returncode != 0
    assert "install: the package index cannot be reached" in done.stderr
    assert not (tmp_path / ".venv" / ".installed").exists()
