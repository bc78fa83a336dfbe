"""The part of the explorer that its screens use."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from core.coalitions.players import Removed
from core.config.run_config import RunConfig
from core.evaluator.protocol import Request
from tui.explorer.state import State


class ExplorerPort(Protocol):
    """The explorer as its screens see it, so that they need not import it."""

    store: Path
    config: RunConfig

    @property
    def state(self) -> State:
        """Return the current state. It is never changed, only replaced as a whole."""

    def ask(self, request: Request) -> Any:
        """Send a request to the evaluator. Its results arrive as a new state."""

    def say(self, text: str, *, error: bool = False) -> None:
        """Show a message that disappears by itself."""

    def show_task(self, task: str) -> None:
        """Show another task, by its key."""

    def remove(self, removed: Removed) -> None:
        """Remove exactly these players on the layer grid."""
