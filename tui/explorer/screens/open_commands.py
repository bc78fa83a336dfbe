"""What the command palette finds to open: models and tasks, as the dialog that chooses lists them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

from textual.command import Hit, Hits, Provider
from textual.content import Content

from tui.drawing.plain import plain
from tui.explorer.find import Finder
from tui.explorer.in_thread import in_thread
from tui.explorer.port import ExplorerPort
from tui.explorer.recent_models import recent_models
from tui.explorer.screens.base import ExplorerScreen
from tui.explorer.screens.choose import ChooseDialog
from tui.explorer.widgets.choice_rows import in_order, model_facts, task_line
from tui.explorer.widgets.model_picker import all_models
from tui.explorer.widgets.task_picker import known_tasks

_MOST: Final = 12
"""So many models, and so many tasks, are listed. More letters find the others."""

_WEIGHT: Final = 0.8
"""An action of the same name comes first."""


@dataclass(frozen=True, slots=True)
class _Found:
    """A model or a task: its name, what opens it, and what it is."""

    kind: str
    shown: str
    opens: str
    about: str


class OpenCommands(Provider):
    """Finds models and tasks. The dialog that chooses then opens them, and says how far it is and what is wrong."""

    async def startup(self) -> None:
        """Begin to look up what there is. Reading all of lm-eval's tasks, which takes seconds, is left to the dialog.

        It is not waited for here: a letter that is typed meanwhile ends the search before it, and what that waits for.
        """
        self._finders: asyncio.Task[tuple[Finder[_Found], ...]] | None = None
        if isinstance(self.screen, ExplorerScreen):
            chosen = cast("ExplorerPort", self.app).chosen.model
            self._finders = asyncio.create_task(in_thread(partial(_finders, (chosen, *recent_models()))))

    async def shutdown(self) -> None:
        if self._finders is not None:
            self._finders.cancel()

    async def search(self, query: str) -> Hits:
        found = () if self._finders is None else await asyncio.shield(self._finders)
        for finder in found:
            for hit in self._hits(finder.matching(query)[:_MOST], query):
                yield hit

    def _hits(self, found: Sequence[_Found], query: str) -> Iterator[Hit]:
        """Yield hits in the order in which things were found."""
        if not found:
            return
        best = max(self.matcher(query).match(found[0].shown) if query.lower() in found[0].shown.lower() else 0, 1)
        for rank, one in enumerate(found):
            title = Content(f"open {one.kind} {plain(one.shown)}")
            for word in query.lower().split():
                at = title.plain.lower().find(word)
                if at >= 0 and self.match_style is not None:
                    title = title.stylize(self.match_style, at, at + len(word))
            yield Hit(_WEIGHT * best * (1 - rank / 100), title, partial(self._open, one), help=plain(one.about))

    def _open(self, one: _Found) -> None:
        config = cast("ExplorerPort", self.app).chosen
        model = one.opens if one.kind == "model" else ""
        task = one.opens if one.kind == "task" else ""
        self.app.push_screen(ChooseDialog(config, model=model, task=task))


def _finders(first: Sequence[str]) -> tuple[Finder[_Found], ...]:
    """Return what finds models, those that are named ``first`` before others, and what finds tasks."""
    models = [_Found("model", one.shown, one.name, model_facts(one)) for one in in_order(all_models(first), first)]
    tasks = [_Found("task", one.name, one.name, task_line(one, None)) for one in known_tasks() if one.refused is None]
    return _finder(models), _finder(tasks)


def _finder(all_there_is: Sequence[_Found]) -> Finder[_Found]:
    rank = {one: at for at, one in enumerate(all_there_is)}
    return Finder(
        all_there_is, lambda one: one.shown, lambda one: f"open {one.kind} {one.opens} {one.about}", rank.__getitem__
    )
