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
