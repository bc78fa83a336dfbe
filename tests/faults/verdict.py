"""The verdict on one case of a part, and the case itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a fault did.

    Attributes:
        fault: the row of the table that counts it.
        lost: outcomes that were acknowledged, or that an undisturbed run has, and that are not in the store.
        duplicated: outcomes that the store has more than once.
        due: how many programs had to end in a result or in one sentence.
        said: how many of them did.
        wrong: everything else that is not as it should be, and how programs ended that did not end so.
        missing: checks that were left out, because the program has no such command yet.
    """

    fault: str
    lost: int = 0
    duplicated: int = 0
    due: int = 0
    said: int = 0
    wrong: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def held(self) -> bool:
        """Whether nothing was lost, duplicated, unsaid or otherwise wrong."""
        return not (self.lost or self.duplicated or self.wrong) and self.said == self.due


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to try. ``name`` names it within its part; the same seed gives the same case.

    ``run`` gets an empty folder of its own. It leaves no process and no mount behind.
    """

    name: str
    run: Callable[[Path], Verdict]


@dataclass(slots=True)
class Findings:
    """Collects what a case finds, to make the verdict of it."""

    fault: str
    lost: int = 0
    duplicated: int = 0
    due: int = 0
    said: int = 0
    wrong: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def ending(self, what: str, problem: str | None) -> None:
        """Count how a program ended; ``problem`` is None if that was as it should be."""
        self.due += 1
        if problem is None:
            self.said += 1
        else:
            self.wrong.append(f"{what}: {problem}")

    def missed(self, lost: int, duplicated: int) -> None:
        """Count what is lost or there twice at one of several looks; an outcome that stays lost counts once."""
        self.lost, self.duplicated = max(self.lost, lost), max(self.duplicated, duplicated)

    def verdict(self) -> Verdict:
        """Return the verdict."""
        return Verdict(
            self.fault, self.lost, self.duplicated, self.due, self.said, tuple(self.wrong), tuple(self.missing)
        )
