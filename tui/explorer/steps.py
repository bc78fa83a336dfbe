"""The steps of the removed set, for undo and redo."""

from __future__ import annotations

from dataclasses import dataclass

from core.coalitions.players import Removed


@dataclass(frozen=True, slots=True)
class Steps:
    """The removed sets before the shown one, and those that were undone; the nearest is last in both."""

    past: tuple[Removed, ...] = ()
    undone: tuple[Removed, ...] = ()

    def onward(self, before: Removed, now: Removed) -> Steps:
        """Return the steps after a change, which ends what could be redone; the same where nothing changed."""
        return self if before == now else Steps((*self.past, before))

    def back(self, now: Removed) -> tuple[Steps, Removed] | None:
        """Return the steps and the removed set after an undo; None if there is nothing to undo."""
        if not self.past:
            return None
        return Steps(self.past[:-1], (*self.undone, now)), self.past[-1]

    def again(self, now: Removed) -> tuple[Steps, Removed] | None:
        """Return the steps and the removed set after a redo; None if there is nothing to redo."""
        if not self.undone:
            return None
        return Steps((*self.past, now), self.undone[:-1]), self.undone[-1]
