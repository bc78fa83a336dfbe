"""The last line of a screen: the keys of what is in front. It leaves out whole keys where it is narrow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from textual import events
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget

from tui.explorer.actions import RANKS

HELP: Final = "app.help"
"""The id of the action that stands last, and is always there."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A key with its word. ``key`` is Textual's name of it, ``ident`` that of the action, ``about`` a sentence."""

    key: str
    shown: str
    word: str
    ident: str
    about: str = ""

    @property
    def width(self) -> int:
        """The columns that it takes."""
        return len(self.shown) + 1 + len(self.word)


def fitting(hints: Sequence[Hint], width: int) -> list[Hint]:
    """Return the hints that a line has room for, in their order; help is the last one.

    Those with the lowest rank come first; among equals, those that stand first.
    """
    last = [hint for hint in hints if hint.ident == HELP]
    others = [hint for hint in hints if hint.ident != HELP]
    room = width - sum(hint.width for hint in last)
    kept = []
    for hint in sorted(others, key=lambda hint: RANKS[hint.ident]):
        if hint.width + 1 <= room:
            room -= hint.width + 1
            kept.append(hint)
    return [hint for hint in others if hint in kept] + last


class KeyFooter(Widget):
    """Shows the keys of the screen's actions. A click on one does what the key does."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"key-footer--key"}
    DEFAULT_CSS = """
    KeyFooter {
        dock: bottom; height: 1; color: $footer-foreground; background: $footer-background;
        .key-footer--key { color: $footer-key-foreground; text-style: bold; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self._hints: tuple[Hint, ...] = ()

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._look)
        self._look(self.screen)

    def _look(self, screen: Screen[object]) -> None:
        """Draw the keys again, if they are others."""
        hints: dict[str, Hint] = {}
        for key, active in screen.active_bindings.items():
            binding, ident = active.binding, active.binding.id or ""
            shown = self.app.get_key_display(binding)
            if ident in RANKS and active.enabled and not self._is_typed(screen, key, shown):
                hint = Hint(key, shown, binding.description, ident, binding.tooltip or "")
                hints.setdefault(ident, hint)
        if tuple(hints.values()) != self._hints:
            self._hints = tuple(hints.values())
            self.refresh()

    def _is_typed(self, screen: Screen[object], key: str, shown: str) -> bool:
        """Return whether a field has the focus that takes a key as a letter."""
        field = screen.focused
        return field is not None and len(shown) == 1 and field.check_consume_key(key, shown)

    def render(self) -> Content:
        look = self.get_visual_style("key-footer--key", partial=True)
        shown = fitting(self._hints, self.size.width)
        return Content(" ").join([Content.assemble((hint.shown, look), f" {hint.word}") for hint in shown])

    def _at(self, x: int) -> Hint | None:
        """Return the hint that is drawn in a column."""
        for hint in fitting(self._hints, self.size.width):
            if 0 <= x < hint.width:
                return hint
            x -= hint.width + 1
        return None

    def on_mouse_move(self, event: events.MouseMove) -> None:
        hint = self._at(event.x)
        self.tooltip = None if hint is None else hint.about

    def on_click(self, event: events.Click) -> None:
        hint = self._at(event.x)
        if hint is not None:
            self.app.simulate_key(hint.key)
