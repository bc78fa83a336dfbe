"""A short version of `make faults`: a few cases of each part."""

from __future__ import annotations

import pytest

from tests.faults.kills import MAKING, MAKING_COMMIT
from tests.faults.report import failures
from tests.faults.runner import tried
from tests.faults.setting import Setting, Sizes
from tests.faults.verdict import Verdict

_SIZES = Sizes(
    recordings_killed=6,
    runs_killed=2,
    commands_killed=0,
    commits=6,
    flips=2,
    truncations=2,
    writers=6,
    readers=2,
    writing_s=3.0,
    inputs=32,
    whole_programs=0,
)
# Faults that still fall; `make faults` shows how.
_NOT_YET = frozenset(
    {
        MAKING,
        MAKING_COMMIT,
        "flip of a store",
        "truncation of a store",
        "bad yaml",
        "bad model folder",
        "bad gguf",
        "bad jsonl",
        "bad template",
        "bad session",
    }
)


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Setting:
    return Setting(tmp_path_factory.mktemp("faults"), sizes=_SIZES)


def _fell(part: str, verdicts: dict[str, Verdict]) -> str:
    return failures(part, 0, verdicts, every=True)


@pytest.mark.parametrize(("part", "cases"), [("kills", 6), ("commits", 4), ("writers", 1)])
def test_nothing_is_lost_or_stored_twice(setting: Setting, part: str, cases: int) -> None:
    verdicts = {name: one for name, one in tried(part, setting, jobs=2).items() if one.fault not in _NOT_YET}
    assert len(verdicts) == cases
    assert not _fell(part, verdicts)


def test_a_damaged_wal_ends_in_a_table_or_one_sentence_and_is_left_as_it_is(setting: Setting) -> None:
    verdicts = {name: one for name, one in tried("damage", setting, jobs=2).items() if one.fault not in _NOT_YET}
    assert len(verdicts) == 2
    assert not _fell("damage", verdicts)


def test_bad_input_ends_in_one_sentence_and_changes_nothing(setting: Setting) -> None:
    verdicts = {name: one for name, one in tried("inputs", setting, jobs=2).items() if one.fault not in _NOT_YET}
    assert len(verdicts) > 10
    assert not _fell("inputs", verdicts)
