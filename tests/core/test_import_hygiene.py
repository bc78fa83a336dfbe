"""What the explorer imports must start in a second: none of it may pull in the libraries that take longer."""

from __future__ import annotations

import pytest

from tests.support.import_rules import HEAVY, loaded_after

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
    "store.study",
    "tui.cli",
    "tui.commands.app",
)


@pytest.fixture(scope="module")
def loaded() -> dict[str, list[str]]:
    """In a process of its own: this one has imported everything already."""
    return loaded_after(LIGHT_MODULES, HEAVY)


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_importing_it_brings_nothing_heavy(module: str, loaded: dict[str, list[str]]) -> None:
    assert loaded[module] == []
