"""Settings of estimators: declared once on the class, checked wherever they are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest

from core.errors import CornerstoneError
from core.estimators.permutation import Permutation
from core.estimators.setting import NamedSetting, Setting, given, in_digits, settings_of
from core.estimators.windows import WindowEnds, WindowFirst

REACH = NamedSetting("reach", int, 3, Setting("How far", "reach", 1, 9))
WEIGHT = NamedSetting("weight", float, 0.5, Setting("How much", "weight", 0))
PAIRS = NamedSetting("pairs", int, 8, Setting("How many", "pairs", 4, multiple_of=2))


def test_a_class_lists_its_settings_in_the_order_of_its_fields() -> None:
    assert [setting.name for setting in settings_of(Permutation)] == ["permutations", "seed", "tolerance"]
    assert [setting.kind for setting in settings_of(Permutation)] == [int, int, float]
    assert settings_of(WindowFirst) == settings_of(WindowEnds)
    assert settings_of(WindowFirst)[0].option_help.endswith("(default 4).")


@pytest.mark.parametrize(
    ("setting", "written", "number"),
    [(REACH, "7", 7), (REACH, 9.0, 9), (WEIGHT, "0.25", 0.25), (WEIGHT, 2, 2.0), (PAIRS, 12, 12)],
)
def test_numbers_are_read_as_a_file_a_dialog_or_a_caller_writes_them(
    setting: NamedSetting, written: object, number: float
) -> None:
    found = setting.checked(written)
    assert found == number
    assert type(found) is setting.kind


@pytest.mark.parametrize(
    ("setting", "written", "sentence"),
    [
        (REACH, 0, "reach must be a whole number from 1 to 9, not 0"),
        (REACH, 10, "reach must be a whole number from 1 to 9, not 10"),
        (REACH, 1.5, "reach must be a whole number from 1 to 9, not 1.5"),
        (REACH, "few", "reach must be a whole number from 1 to 9, not 'few'"),
        (REACH, True, "reach must be a whole number from 1 to 9, not True"),
        (REACH, None, "reach must be a whole number from 1 to 9, not None"),
        (WEIGHT, -0.1, "weight must be a number of 0 or more, not -0.1"),
        (WEIGHT, float("nan"), "weight must be a number of 0 or more, not nan"),
        (REACH, 10**400, "reach must be a whole number from 1 to 9, not a number of 401 digits or so"),
        (WEIGHT, "inf", "weight must be a number of 0 or more, not 'inf'"),
        (PAIRS, 9, "pairs must be an even number of 4 or more, not 9"),
    ],
)
def test_what_is_no_such_number_is_refused_by_name(setting: NamedSetting, written: object, sentence: str) -> None:
    with pytest.raises(CornerstoneError) as refused:
        setting.checked(written)
    assert str(refused.value) == sentence


def test_an_estimator_takes_its_own_and_passes_over_the_others() -> None:
    values = {"max_removed": 2, "tolerance": 0.5, "seed": 3}
    assert WindowFirst.of(values) == WindowFirst(2)
    assert Permutation.of(values) == Permutation(20, 3, 0.5)
    assert given(settings_of(WindowFirst), values) == {"max_removed": 2}


def test_a_field_that_is_no_setting_is_a_fault_of_the_class() -> None:
    @dataclass(frozen=True)
    class Bare:
        reach: int = 3

    @dataclass(frozen=True)
    class Undecided:
        reach: Annotated[int, Setting("How far", "reach", 1)]

    for faulty in (Bare, Undecided):
        with pytest.raises(TypeError, match="reach needs a Setting in its annotation, and a default"):
            settings_of(faulty)


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (4, "4"),
        (1_000_000, "1000000"),
        (123456789, "123456789"),
        (0.02, "0.02"),
        (0.0, "0"),
        (0.012345678, "0.012345678"),
    ],
)
def test_a_number_is_written_so_that_it_reads_the_same(number: float, written: str) -> None:
    assert in_digits(number) == written
    assert type(number)(written) == number
    assert Permutation(20, 123456789, 0.012345678).in_words() == (
        "20 walks", "seed 123456789", "tolerance 0.012345678"
    )  # fmt: skip
