"""The command palette: every action of the screen in front, and what can be gone to: layers, open tasks, themes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import cast, get_args

from textual.binding import ActiveBinding
from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.drawing.plain import plain
from tui.explorer.obeying_app import ObeyingApp
from tui.explorer.port import ExplorerPort
from tui.explorer.screens.explore import ExploreScreen
from tui.settings import Theme


class ActionCommands(Provider):
    """Finds actions by their label and their help."""

    def _actions(self) -> Iterator[tuple[str, ActiveBinding]]:
        seen = set()
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if active.enabled and binding.id and binding.tooltip and binding.action not in seen:
                seen.add(binding.action)
                yield f"{binding.description} ({self.app.get_key_display(binding)})", active

    async def discover(self) -> Hits:
        for title, active in self._actions():
            yield DiscoveryHit(title, partial(self._do, active), help=active.binding.tooltip)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, active in self._actions():
            score = max(matcher.match(title), matcher.match(active.binding.tooltip) * 0.8)
            if score > 0:
                yield Hit(score, matcher.highlight(title), partial(self._do, active), help=active.binding.tooltip)

    async def _do(self, active: ActiveBinding) -> None:
        await self.app.run_action(active.binding.action, active.node)


@dataclass(frozen=True, slots=True)
class _Place:
    """Something that can be gone to: what the palette calls it, what that does, and how."""

    title: str
    about: str
    go: Callable[[], object]


class PlaceCommands(Provider):
    """Finds layers, open tasks and themes by name. They are too many to be listed before something is typed."""

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for place in self._places():
            score = matcher.match(place.title)
            if score > 0:
                yield Hit(score, matcher.highlight(place.title), place.go, help=place.about)

    def _places(self) -> Iterator[_Place]:
        app = cast("ObeyingApp", self.app)
        for theme in get_args(Theme):
            yield _Place(
                f"theme: {theme}", "Draw in these colours, until the explorer ends.", partial(self._draw, theme)
            )
        if not isinstance(self.screen, ExploreScreen):
            return
        explorer, home = cast("ExplorerPort", app), self.screen
        for player in explorer.state.players:
            yield _Place(f"go to {player.label}", "Move the cursor to this layer.", partial(home.go_to, player.number))
        for task in explorer.state.bench.tasks if explorer.state.bench else ():
            yield _Place(f"task: {plain(task.shown_name)}", "Show this task.", partial(home.show_task, task.key))

    def _draw(self, theme: Theme) -> None:
        app = cast("ObeyingApp", self.app)
        app.obey(app.settings.model_copy(update={"theme": theme}))


def open_commands() -> type[Provider]:
    """Return what finds models and tasks. Its modules are loaded when the palette opens."""
    from tui.explorer.screens.open_commands import OpenCommands

    return OpenCommands
