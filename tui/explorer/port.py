"""What a screen may ask of the explorer that opened it."""

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
        """Return what is shown; it is replaced as a whole, never changed."""

    def ask(self, request: Request) -> Any:
        """Send a request to the evaluator; what comes of it arrives as a new state."""

    def say(self, text: str, *, error: bool = False) -> None:
        """Show a message that goes away by itself."""

    def show_task(self, task: str) -> None:
        """Show another task, by its key."""

    def remove(self, removed: Removed) -> None:
        """Remove exactly these players on the layer grid."""
