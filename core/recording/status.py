"""The state of a write-behind recorder, and the sentence that says it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import CornerstoneError


def trouble_of(error: Exception, store: Path) -> CornerstoneError:
    """Return the error for people of whatever a write to a store raised."""
    if isinstance(error, CornerstoneError):
        return error
    first = str(error).strip().partition("\n")[0] or type(error).__name__
    return CornerstoneError(f"the store {store} cannot be written ({first})")


@dataclass(frozen=True, slots=True)
class Status:
    """What a recorder can write.

    Attributes:
        outcomes: the number of outcomes that wait.
        unsafe: how many of them are in memory only.
        trouble: why the last write to the store failed, None if it worked.
        stuck: why the last write to the spool failed, None if it worked or was not needed.
        spool: the file of the spool, or its folder while there is none.
    """

    outcomes: int
    unsafe: int
    trouble: CornerstoneError | None
    stuck: CornerstoneError | None
    spool: Path

    @property
    def sentence(self) -> str:
        """What is the case, for a person; empty while the store can be written."""
        if self.trouble is None:
            return ""
        count = f"{self.outcomes} outcome{'' if self.outcomes == 1 else 's'}"
        if self.pauses:
            return f"{self.trouble}, and {self.stuck}; evaluation pauses until one of them can be written"
        if not self.outcomes:
            return f"{self.trouble}; it is tried again every second"
        return f"{self.trouble}; {count} wait in {self.spool}, and it is tried again every second"

    @property
    def pauses(self) -> bool:
        """Whether evaluation pauses, because neither the store nor the spool can be written."""
        return self.trouble is not None and self.stuck is not None

    @property
    def kind(self) -> tuple[str, bool]:
        """The trouble, and whether evaluation pauses. The sentence is shown again when one of them changes."""
        return str(self.trouble or ""), self.pauses
