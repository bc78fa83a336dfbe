"""Gather what tells how long a run takes: measured rates, the sizes of what is open, and this machine's speed."""

from __future__ import annotations

from core.cost.of_bench import open_work
from core.cost.rates import MeasuredRates, Rate
from core.evaluator.protocol import Rates
from core.records.fingerprint import short_id
from core.study.workbench import Workbench


class OpenSpeeds:
    """Tells explorers what they need to say how long a run on the open model takes."""

    def __init__(self, bench: Workbench) -> None:
        """Count the sizes of a workbench, and read what was measured with its model before."""
        fingerprint = bench.model.record.fingerprint
        self._model_id = short_id(fingerprint)
        self._rates = MeasuredRates(fingerprint, bench.device)
        self._work = open_work(bench)

    @property
    def event(self) -> Rates:
        """The event that tells it to an explorer."""
        return Rates(model_id=self._model_id, rates=self._rates.rates, work=self._work)

    def take(self, rate: Rate) -> None:
        """Keep a measured rate."""
        self._rates.take(rate)
