"""The part of the explorer that its screens use."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from core.coalitions.players import Removed
from core.config.run_config import RunConfig
from core.evaluator.protocol import Request
from tui.explorer.choices import Choices
from tui.explorer.session import Session
from tui.explorer.state import State


class ExplorerPort(Protocol):
    """The explorer as its screens see it, so that they need not import it."""

    store: Path
    config: RunConfig
    choices: Choices

    @property
    def state(self) -> State:
        """Return the current state. It is never changed, only replaced as a whole."""

    @property
    def chosen(self) -> RunConfig:
        """Return what was chosen to be open. A job may have opened more documents."""

    @property
    def session(self) -> Session:
        """Return what is remembered, such as what was chosen on a screen when it was last shown."""

    def keep(self, session: Session) -> None:
        """Remember another session in place of this one."""

    def ask(self, request: Request) -> Any:
        """Send a request to the evaluator. Its results arrive as a new state."""

    async def open(self, config: RunConfig) -> str | None:
        """Have a model and tasks opened; return why they were refused, None once they are open."""

    def give_up(self) -> None:
        """Give up all that is being opened for this explorer."""

    def say(self, text: str, *, error: bool = False) -> None:
        """Show a message that disappears by itself."""

    def ring(self, text: str) -> None:
        """Ring the terminal's bell for what a text says, if the settings want it."""

    def show_task(self, task: str) -> None:
        """Show another task, by its key."""

    def remove(self, removed: Removed) -> None:
        """Remove exactly these players on the layer grid."""
