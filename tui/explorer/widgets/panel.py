"""The frame that several of the explorer's widgets share."""

from __future__ import annotations

from textual.widget import Widget


class Panel(Widget):
    """A widget in a frame, as high as its lines. The frame has another colour while the widget has the focus."""

    DEFAULT_CSS = """
    Panel {
        height: auto;
        border: round $foreground 25%;
        border-title-color: $foreground;
        border-subtitle-color: $foreground 70%;
        padding: 0 1;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        &:focus { border: round $accent; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines_drawn = 0

    def redraw(self, lines: int) -> None:
        """Draw anew after a change of what is shown, which has now so many lines.

        A new layout paints the whole screen, which a slow line feels; it is needed only where the height changes.
        """
        self.refresh(layout=lines != self._lines_drawn)
        self._lines_drawn = lines

    def on_resize(self) -> None:
        """Forget the height, which a new width changes too."""
        self._lines_drawn = 0
