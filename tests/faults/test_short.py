"""A short version of `make faults`: a few cases of each part."""

from __future__ import annotations

import pytest

from tests.faults.report import failures
from tests.faults.runner import tried
from tests.faults.setting import Setting, Sizes

_SIZES = Sizes(
    recordings_killed=6,
    runs_killed=2,
    commands_killed=0,
    commits=6,
    full_disks=4,
    flips=2,
    truncations=2,
    writers=6,
    readers=2,
    writing_s=3.0,
    inputs=32,
    whole_programs=0,
)


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Setting:
    return Setting(tmp_path_factory.mktemp("faults"), sizes=_SIZES)


@pytest.mark.parametrize("part", ["kills", "commits", "disks", "damage", "writers", "inputs"])
def test_nothing_is_lost_or_unsaid(setting: Setting, part: str) -> None:
    verdicts = tried(part, setting, jobs=2)
    assert verdicts
    assert not failures(part, 0, verdicts, every=True)
