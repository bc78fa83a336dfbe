"""Gauges of the machine: what a process takes of processors and memory, and how busy the GPUs are. Light to import."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import psutil

_MOST_GPUS: Final = 8


@dataclass(frozen=True, slots=True)
class GpuGauge:
    """How busy a GPU is, 0 to 1, and the bytes of its memory that are taken, by whomever."""

    busy: float
    taken: int
    memory: int


@dataclass(frozen=True, slots=True)
class Gauges:
    """The load of a process: ``cores`` (2.0 for two whole ones) of ``all_cores``, and ``memory`` in bytes.

    ``free`` and ``all_memory`` are bytes of the machine.
    """

    cores: float
    all_cores: int
    memory: int
    free: int
    all_memory: int
    gpus: tuple[GpuGauge, ...] = ()


class GaugeMeter:
    """Measures a process, and the GPUs if NVIDIA's library is there (the package nvidia-ml-py).

    Raises:
        ProcessLookupError: there is no such process.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._process = psutil.Process(pid)
            self._process.cpu_percent()  # the next call counts from here
        except psutil.Error as error:
            raise ProcessLookupError(pid) from error
        self._gpus = _gpus()

    def measure(self) -> Gauges | None:
        """Return the gauges; None if the process is gone, or may not be looked at. Cores count since the last call."""
        try:
            with self._process.oneshot():
                cores, memory = self._process.cpu_percent() / 100, self._process.memory_info().rss
        except psutil.Error:
            return None
        machine = psutil.virtual_memory()
        return Gauges(cores, psutil.cpu_count() or 1, memory, machine.available, machine.total, self._gpus())


def _gpus() -> Callable[[], tuple[GpuGauge, ...]]:
    """Return what measures the GPUs; it finds none where the library or a GPU is missing."""
    try:
        import pynvml

        pynvml.nvmlInit()
        handles = [pynvml.nvmlDeviceGetHandleByIndex(at) for at in range(pynvml.nvmlDeviceGetCount())][:_MOST_GPUS]
    except Exception:  # noqa: BLE001 no library, no driver, no GPU, no right to look: then there is no gauge
        return tuple
    return lambda: tuple(gauge for handle in handles if (gauge := _gauge(pynvml, handle)) is not None)


def _gauge(library: Any, handle: Any) -> GpuGauge | None:
    with suppress(library.NVMLError):
        memory = library.nvmlDeviceGetMemoryInfo(handle)
        return GpuGauge(library.nvmlDeviceGetUtilizationRates(handle).gpu / 100, memory.used, memory.total)
    return None
