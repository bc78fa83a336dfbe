"""One widget on a terminal of its own, and the text that it shows there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from textual import on
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widget import Widget

from core.coalitions.players import Removed
from tui.explorer.state import State
from tui.explorer.widgets.coalition_panel import CoalitionPanel
from tui.explorer.widgets.job_line import JobLine
from tui.explorer.widgets.layer_grid import LayerGrid
from tui.explorer.widgets.status_bar import StatusBar

Flow = Callable[["Mounted"], Awaitable[None]]

HOSTILE = ("[red]x[/]", "[/]", "\x1b[31mred", "[@click=app.quit]q[/]", "a\nb", "\u202ertl", "$accent", "\\[b]")


class Mounted(App[None]):
    """Keeps the messages of a layer grid, and answers as the explore screen does."""

    def __init__(self, widget: Widget) -> None:
        super().__init__()
        self.shown = widget
        self.changes: list[Removed] = []
        self.pilot: Pilot[None] | None = None

    def compose(self) -> ComposeResult:
        yield self.shown

    def key_space(self) -> None:
        if isinstance(self.shown, LayerGrid):
            self.shown.toggle_here()

    @on(LayerGrid.Changed)
    def _keep(self, message: LayerGrid.Changed) -> None:
        self.changes.append(message.removed)

    @property
    def lines(self) -> list[str]:
        return ["".join(part.text for part in strip) for strip in self.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines)

    async def press(self, *keys: str) -> None:
        assert self.pilot is not None
        await self.pilot.press(*keys)
        await self.pilot.pause()


def mounted(widget: Widget, flow: Flow, *, width: int = 80, height: int = 24) -> None:
    """Run ``flow`` with the widget on a terminal of that size."""

    async def run() -> None:
        app = Mounted(widget)
        async with app.run_test(size=(width, height)) as pilot:
            app.pilot = pilot
            await pilot.pause()
            await flow(app)

    asyncio.run(run())


def text_of(widget: Widget, show: Callable[[], None], *, width: int = 80, height: int = 24) -> str:
    """Return the text on the terminal after ``show``."""
    found = []

    async def flow(app: Mounted) -> None:
        show()
        assert app.pilot is not None
        await app.pilot.pause()
        found.append(app.text)

    mounted(widget, flow, width=width, height=height)
    return found[0]


def text_of_state(kind: type[CoalitionPanel | JobLine | StatusBar], state: State, *, width: int = 80) -> str:
    """Return the text of a widget of this kind that shows a state."""
    widget = kind()
    return text_of(widget, lambda: widget.show(state), width=width)
