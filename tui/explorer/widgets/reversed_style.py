"""Reversed components. Textual leaves out ``reverse`` where it makes the style of a component."""

from __future__ import annotations

from textual.style import Style
from textual.widget import Widget

_REVERSED = Style(reverse=True)


def with_reverse(widget: Widget, names: tuple[str, ...], style: Style) -> Style:
    """Return the style that Textual has made for components of a widget, reversed if their CSS says so."""
    is_reversed = any(widget.get_component_styles(name).text_style.reverse for name in names)
    return style + _REVERSED if is_reversed else style
