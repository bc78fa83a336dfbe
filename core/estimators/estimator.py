"""The base class of estimators: the coalitions that it reads, and the contribution of each unit on each document.

A value v is a mean over documents, so every estimator here is a mean of per-document contributions. Standard errors,
intervals, shares and ranks follow from those (``core.estimators.estimate``) and are the same for all estimators.

An estimator is one frozen dataclass in one file. It says everything about itself: its settings, the schedule that
evaluates its coalitions, and its words for reports. Options, dialogs, tables and reports iterate over the registry.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Self

from core.coalitions.players import Removed
from core.errors import CornerstoneError
from core.estimators.setting import Number, given, in_digits, settings_of
from core.statistics.intervals import FloatArray

Outcomes = Mapping[Removed, FloatArray]
"""Per-document values by removed units. All arrays have shape (documents,), the same documents in the same order."""


class Estimator(ABC):
    """A way to estimate Shapley values. Units are numbered from 0; a coalition is the tuple of its removed units.

    Subclasses are frozen dataclasses. Their fields are their settings, declared with ``Setting``.

    Attributes:
        name: its name in options, files and tables.
        summary: one line on the coalitions of its schedule and their purpose.
        schedule: the schedule that evaluates its coalitions. Estimators that read the same coalitions share one. The
            first of them in the registry reports the schedule.
        in_rounds: whether the values that it has seen decide its next coalitions.
        shapley: whether its values approximate Shapley values, so that reports compare it with others.
        extrapolates: whether its values rest on what a model says of coalitions that were never evaluated. No report
            takes such values unasked, and no verdict is made of them: documents do not tell how far off the model is.
    """

    __slots__ = ()

    name: ClassVar[str]
    summary: ClassVar[str]
    schedule: ClassVar[str]
    in_rounds: ClassVar[bool] = False
    shapley: ClassVar[bool] = True
    extrapolates: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse settings out of range.

        Raises:
            CornerstoneError: one is; the message names it.
        """
        for setting in settings_of(type(self)):
            setting.checked(getattr(self, setting.name))

    @classmethod
    def of(cls, settings: Mapping[str, Number]) -> Self:
        """Make the estimator with those of ``settings`` that are its own, and ignore the others.

        Raises:
            CornerstoneError: one is out of range.
        """
        return cls(**given(settings_of(cls), settings))

    @abstractmethod
    def missing(self, outcomes: Outcomes, units: int) -> list[Removed]:
        """List the coalitions to evaluate next; [] if the estimate can be made.

        An estimator that works in rounds names those of the next round, so a caller asks until nothing is missing.

        Raises:
            CornerstoneError: there is no such estimate for this number of units.
        """

    @abstractmethod
    def contributions(self, outcomes: Outcomes, units: int) -> FloatArray:
        """Return the contribution of each unit on each document, shape (units, documents). Their mean is phi.

        Raises:
            CornerstoneError: coalitions are missing.
        """

    def needs(self, unit: int, units: int) -> tuple[Removed, ...] | None:
        """Return the coalitions that one unit's contribution is made of; None if every contribution reads all of them.

        Where they are known, documents that some units lack can still tell of the others: a NaN in ``outcomes`` makes
        only those contributions NaN that need it.
        """
        del unit, units
        return None

    def sampling_noise(self, outcomes: Outcomes, units: int) -> FloatArray | None:
        """Return how independent repetitions of the estimate deviate from their mean, shape (repetitions, units).

        They are scaled so that their variance, divided by their number, is the variance that drawing the coalitions
        adds to phi. None if the coalitions are not drawn at random.
        """
        del outcomes, units
        return None

    @classmethod
    def draws(cls) -> bool:
        """Return whether its coalitions are drawn at random, so that documents alone do not decide on its values."""
        return cls.sampling_noise is not Estimator.sampling_noise

    def coalitions(self, units: int) -> list[Removed]:
        """List the coalitions of its schedule, in order; [] if it works in rounds.

        Raises:
            CornerstoneError: there is no such estimate of so many units.
        """
        first = self.missing({}, units)
        return [] if self.in_rounds else first

    def most_coalitions(self, units: int) -> int:
        """Return how many coalitions it reads at most."""
        return len(self.coalitions(units))

    def most_removed(self, units: int) -> int:
        """Return how many units are removed at most in a coalition that it reads."""
        return units

    def smaller(self) -> tuple[Self, ...]:
        """List the estimator with smaller settings, the largest first, for which a part of its coalitions suffices."""
        return ()

    def variants(self, units: int) -> tuple[Self, ...]:
        """List the settings with which it is compared with exact values of ``units`` units."""
        del units
        return (self,)

    @property
    def extent(self) -> str:
        """The settings in a schedule's title, such as ``of 20 walks``; empty if there are none."""
        return f"({', '.join(self.in_words())})" if self.in_words() else ""

    def in_words(self) -> tuple[str, ...]:
        """Return the settings in words for reports, such as ``20 walks``, ``seed 0``."""
        own = ((setting.name, getattr(self, setting.name)) for setting in settings_of(type(self)))
        return tuple(f"{name.replace('_', ' ')} {in_digits(number)}" for name, number in own)

    def described(self) -> str:
        """Return the coalitions that it reads in words, such as ``windows of up to 4``."""
        return f"{self.name} ({', '.join(self.in_words())})" if self.in_words() else self.name


def require(estimator: Estimator, outcomes: Outcomes, units: int) -> None:
    """Check that no coalition is missing.

    Raises:
        CornerstoneError: coalitions are missing.
    """
    missing = estimator.missing(outcomes, units)
    if missing:
        coalitions = "1 more coalition" if len(missing) == 1 else f"{len(missing)} more coalitions"
        raise CornerstoneError(f"{estimator.name} needs {coalitions} of these {units} units; evaluate them first")
