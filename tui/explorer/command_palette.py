"""The command palette: every action of the screen in front."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.binding import ActiveBinding
from textual.command import DiscoveryHit, Hit, Hits, Provider


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
