"""A list of which one line is under the cursor, which is seen without colour."""

from __future__ import annotations

from textual.style import Style
from textual.widgets import OptionList

from tui.explorer.widgets.reversed_style import with_reverse


class ChoiceList(OptionList):
    """A list without a frame."""

    DEFAULT_CSS = """
    ChoiceList {
        border: none; background: transparent; padding: 0; scrollbar-size-vertical: 1;
        & > .option-list--option-highlighted { color: $foreground; background: transparent; text-style: reverse; }
        &:focus {
            border: none; background-tint: transparent;
            & > .option-list--option-highlighted { color: $foreground; background: transparent; text-style: reverse; }
        }
    }
    """

    def get_visual_style(self, *component_classes: str, partial: bool = False) -> Style:
        style = super().get_visual_style(*component_classes, partial=partial)
        return with_reverse(self, component_classes, style)
