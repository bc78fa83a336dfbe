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
)


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Setting:
    return Setting(tmp_path_factory.mktemp("faults"), sizes=_SIZES)


@pytest.mark.parametrize("part", ["kills", "commits", "disks", "damage", "writers", "inputs"])
def test_nothing_is_lost_or_unsaid(setting: Setting, part: str) -> None:
    verdicts = tried(part, setting, jobs=2)
    assert verdicts
    assert not failures(part, 0, verdicts, every=True)
