"""The first line of the home screen, on every other screen: model, task, score, and how far the job is."""

from __future__ import annotations

from tui.explorer.state import State
from tui.explorer.widgets.status_bar import StatusBar


class ContextLine(StatusBar):
    """A status bar that follows the app's state by itself. In an app without a state it is empty."""

    def on_mount(self) -> None:
        if isinstance(getattr(self.app, "state", None), State):
            self.watch(self.app, "state", self.show)
        else:
            self.display = False
