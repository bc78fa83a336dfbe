"""Modules that the explorer imports load within a second, so none may import a library that takes longer."""

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
    "core.study.kept",
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
    """Heavy libraries loaded after each module, in a fresh process, as this one has imported everything."""
    return loaded_after(LIGHT_MODULES, HEAVY)


@pytest.mark.parametrize("module", LIGHT_MODULES)
def test_importing_it_brings_nothing_heavy(module: str, loaded: dict[str, list[str]]) -> None:
    assert loaded[module] == []
