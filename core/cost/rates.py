"""The measured rates of a model on a device: kept in a file, so that what a run will take is known before it starts.

Light to import.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pydantic

from core.errors import CornerstoneError
from core.machine.cached_fact import keep_fact, read_fact
from core.machine.paths import cache_folder
from core.records.fingerprint import digest_of

_MOST_RATES: Final = 200


class Rate(pydantic.BaseModel, frozen=True):
    """How many outcomes of a task are evaluated a second under a schedule, named as in ``core.study.plan``."""

    task_id: str
    schedule: str
    per_second: float


_RATES: Final = pydantic.TypeAdapter(tuple[Rate, ...])


class MeasuredRates:
    """The latest rate of each task and schedule, the oldest first.

    Args:
        fingerprint: of the model, which its precision is a part of.
        device: what it is evaluated on, of this machine: others may share the file's folder.
    """

    def __init__(self, fingerprint: str, device: str) -> None:
        self._about: Mapping[str, Any] = {"model": fingerprint, "device": device, "machine": platform.node()}
        self._path: Path | None = None
        with suppress(CornerstoneError):  # without a cache, rates are known until this program ends
            self._path = cache_folder("rates") / f"{digest_of(dict(self._about))[:16]}.json"
        self._rates = self._read()

    @property
    def rates(self) -> tuple[Rate, ...]:
        return self._rates

    def take(self, rate: Rate) -> None:
        """Keep a rate, in place of an earlier one of the same task and schedule."""
        known = self._read() or self._rates
        others = [one for one in known if (one.task_id, one.schedule) != (rate.task_id, rate.schedule)]
        self._rates = (*others, rate)[-_MOST_RATES:]
        if self._path is not None:
            keep_fact(self._path, self._about, _RATES.dump_python(self._rates, mode="json"))

    def _read(self) -> tuple[Rate, ...]:
        if self._path is None:
            return ()
        try:
            return _RATES.validate_python(read_fact(self._path, self._about) or ())
        except pydantic.ValidationError:
            return ()
