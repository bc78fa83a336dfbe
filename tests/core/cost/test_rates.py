"""Measured rates: kept by model, device and machine."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from core.cost.rates import MeasuredRates, Rate
from core.machine.paths import cache_folder


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def rate(task: str, schedule: str, per_second: float) -> Rate:
    return Rate(task_id=task, schedule=schedule, per_second=per_second)


def test_the_latest_of_each_task_and_schedule_is_known_later() -> None:
    measured = MeasuredRates("model", "cpu")
    assert measured.rates == ()
    for each in (rate("t", "windows", 10), rate("t", "ablation", 20), rate("t", "windows", 30)):
        measured.take(each)
    assert MeasuredRates("model", "cpu").rates == (rate("t", "ablation", 20), rate("t", "windows", 30))


def test_other_models_devices_and_machines_have_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    MeasuredRates("model", "cpu").take(rate("t", "windows", 10))
    assert MeasuredRates("other", "cpu").rates == ()
    assert MeasuredRates("model", "cuda").rates == ()
    monkeypatch.setattr(platform, "node", lambda: "elsewhere")
    assert MeasuredRates("model", "cpu").rates == ()


def test_a_damaged_file_counts_as_none() -> None:
    MeasuredRates("model", "cpu").take(rate("t", "windows", 10))
    (file,) = cache_folder("rates").glob("*.json")
    file.write_text("{")
    measured = MeasuredRates("model", "cpu")
    assert measured.rates == ()
    measured.take(rate("t", "windows", 20))
    assert MeasuredRates("model", "cpu").rates == (rate("t", "windows", 20),)


def test_without_a_cache_folder_they_are_known_as_long_as_the_program_runs(tmp_path: Path) -> None:
    (tmp_path / "cornerstone").write_text("no folder")
    measured = MeasuredRates("model", "cpu")
    measured.take(rate("t", "windows", 10))
    measured.take(rate("t", "ablation", 20))
    assert measured.rates == (rate("t", "windows", 10), rate("t", "ablation", 20))
