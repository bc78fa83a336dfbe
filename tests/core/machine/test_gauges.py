"""Gauges of a process and of the GPUs, with and without NVIDIA's library."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from core.machine.gauges import GaugeMeter, GpuGauge


def test_this_process_takes_memory_and_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    meter = GaugeMeter(os.getpid())
    sum(range(10_000_000))  # more than a tick of the clock that counts it
    gauges = meter.measure()
    assert gauges is not None
    assert gauges.cores > 0
    assert gauges.all_cores >= 1
    assert 10**6 < gauges.memory < gauges.all_memory
    assert 0 < gauges.free <= gauges.all_memory
    assert gauges.gpus == ()


def test_a_process_that_is_gone_has_no_gauges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        meter = GaugeMeter(process.pid)
        assert meter.measure() is not None
        process.communicate(b"\n")
    assert meter.measure() is None
    with pytest.raises(ProcessLookupError):
        GaugeMeter(process.pid)


class NvmlError(Exception):
    """As the library's own."""


def library(**changes: object) -> SimpleNamespace:
    """Return a stand-in for the library, with two GPUs of which the second does not tell how busy it is."""

    def busy(handle: int) -> SimpleNamespace:
        if handle == 1:
            raise NvmlError("not supported")
        return SimpleNamespace(gpu=98)

    parts = {
        "NVMLError": NvmlError,
        "nvmlInit": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda at: at,
        "nvmlDeviceGetMemoryInfo": lambda _: SimpleNamespace(used=71, total=139),
        "nvmlDeviceGetUtilizationRates": busy,
    }
    return SimpleNamespace(**(parts | changes))


def test_gpus_that_tell_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", library())
    gauges = GaugeMeter(os.getpid()).measure()
    assert gauges is not None
    assert gauges.gpus == (GpuGauge(0.98, 71, 139),)


def test_a_library_without_a_driver_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_driver() -> None:
        raise NvmlError("no driver")

    monkeypatch.setitem(sys.modules, "pynvml", library(nvmlInit=no_driver))
    gauges = GaugeMeter(os.getpid()).measure()
    assert gauges is not None
    assert gauges.gpus == ()
