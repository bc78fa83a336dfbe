"""What the explorer imports must start in a second: none of it may pull in the libraries that take longer."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "transformers", "lm_eval", "datasets", "scipy", "pandas", "matplotlib")

LIGHT_MODULES = (
    "core.models.families",
    "core.study.early_checks",
    "core.coalitions.players",
    "core.coalitions.schedules",
    "core.records.records",
    "core.study.events",
    "core.estimators.interactions",
    "core.statistics.intervals",
    "core.estimators.estimate",
    "core.estimators.registry",
    "core.coalitions.grouping",
    "store.recorder",
    "store.results",
    "tui.cli",
)


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_importing_it_brings_nothing_heavy(module: str) -> None:
    """In a process of its own: this one has imported everything already."""
    program = f"import sys, {module}; print(*(name for name in {HEAVY!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
