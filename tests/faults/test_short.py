"""A short version of `make faults`: a few cases of each part."""

from __future__ import annotations

import pytest

from tests.faults.report import failures
from tests.faults.runner import tried
from tests.faults.setting import Setting, Sizes

_SIZES = Sizes(
    recordings_killed=3,
    runs_killed=1,
    commands_killed=0,
    commits=4,
    full_disks=3,
    flips=1,
    truncations=1,
    writers=4,
    readers=1,
    writing_s=2.0,
    inputs=18,
    whole_programs=0,
    workers_killed=1,
    drivers_killed=1,
    default_workers_killed=1,
)


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Setting:
    return Setting(tmp_path_factory.mktemp("faults"), sizes=_SIZES)


@pytest.mark.parametrize("part", ["kills", "commits", "disks", "damage", "writers", "inputs"])
def test_nothing_is_lost_or_unsaid(setting: Setting, part: str) -> None:
    verdicts = tried(part, setting, jobs=2)
    assert verdicts
    assert not failures(part, 0, verdicts, every=True)


@pytest.mark.slow
def test_nothing_is_lost_with_workers(setting: Setting) -> None:
    verdicts = tried("workers", setting)
    assert len(verdicts) == 3
    assert not failures("workers", 0, verdicts, every=True)
    assert not any(verdict.missing for verdict in verdicts.values())
