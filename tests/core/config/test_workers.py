"""What a run may say of its workers."""

from __future__ import annotations

from typing import Any

import pytest

from core.config import workers
from core.config.run_config import RunConfig, load_config
from core.config.workers import refuse_no_ray
from core.errors import CornerstoneError, Mend
from core.tasks.expand import recorded


def config(**asked: Any) -> RunConfig:
    return load_config(None, {"tasks": ["agreement"], **asked})


@pytest.mark.parametrize(
    "wrong",
    [
        {"workers": 0},
        {"workers": -1},
        {"workers": 5000},
        {"workers": 1.5},
        {"ray": "auto"},
        {"ray": "head"},
        {"ray": "ray://head:10001"},
        {"ray": "head:6379 --x"},
        {"ray": "-head:6379"},
    ],
)
def test_what_is_no_number_of_workers_or_no_address_is_refused(wrong: dict[str, Any]) -> None:
    (key,) = wrong
    with pytest.raises(CornerstoneError, match=key):
        config(**wrong)


@pytest.mark.parametrize("ray", ["head:6379", "10.0.0.7:6379", "node-17.cluster.example:6379", "[fd00::1]:6379"])
def test_a_host_and_a_port_are_an_address(ray: str) -> None:
    assert config(ray=ray, workers=3).ray == ray


def test_without_ray_the_error_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "find_spec", lambda _name: None)
    refuse_no_ray(config())
    with pytest.raises(CornerstoneError, match="not installed") as caught:
        refuse_no_ray(config(workers=2))
    assert caught.value.mend == Mend.INSTALL_RAY


@pytest.mark.parametrize("device", ["spread", "cuda:1"])
def test_a_device_that_workers_cannot_share_is_refused(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    monkeypatch.setattr(workers, "find_spec", lambda name: name)
    refuse_no_ray(config(device=device))
    with pytest.raises(CornerstoneError, match="worker"):
        refuse_no_ray(config(device=device, workers=2))


def test_who_evaluates_is_not_kept_with_a_run() -> None:
    assert recorded(config(workers=3, ray="head:6379")) == recorded(config())
