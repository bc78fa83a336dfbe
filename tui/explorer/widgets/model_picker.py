"""The field for a model, and the list of those that there are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from textual import on

from core.errors import CornerstoneError
from core.machine.paths import at_home
from core.machine.regular_file import kind_at
from core.models.choices import ModelChoice, alias_choices, all_choices, choice_at, choices_in
from core.records.model_files import CONFIG
from tui.explorer.find import Finder
from tui.explorer.in_thread import in_thread
from tui.explorer.recent_models import recent_models
from tui.explorer.widgets.choice_rows import in_order, model_facts, model_row
from tui.explorer.widgets.picker import Picker

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")


class ModelPicker(Picker):
    """Lists aliases, and what is on this machine; below a path, what is in its folder."""

    HELP = (
        "Type a part of a name: the list shows the models that fit. Up and down choose one, enter takes it, and enter "
        "once more opens it. A path, such as ~/models/, lists its folder. A hub id is written OWNER/NAME."
    )

    def __init__(self, model: str) -> None:
        super().__init__("model", model, "a part of a name, a hub id, a folder or a .gguf", name="model")
        self._first = model
        self._first_named = (model, *recent_models())
        self._listed: dict[str, ModelChoice] = {}
        self._know(alias_choices())

    def on_mount(self) -> None:
        self._list(best=False)
        self._say_facts()

    async def look(self) -> None:
        """List what is on this machine too."""
        self._know(await in_thread(partial(all_models, self._first_named)))
        self._list(best=self.row is not None and not self.moved)
        self._say_facts()

    @property
    def chosen(self) -> str:
        """The model that is chosen: what the arrow keys have gone to, else what is written."""
        row = self.row
        return row.key if self.moved and row is not None and not row.key.endswith("/") else self.text

    def take(self) -> bool:
        """Write the highlighted row into the field; return whether it was another than is written there."""
        row = self.row
        if row is None or row.key == self.text or not (self.moved or not self._is_name(self.text)):
            return False
        self.write(row.key)
        return True

    def is_whole(self) -> bool:
        """Return whether a whole name is written; say which one may be meant otherwise."""
        text = self.chosen
        meant = [row for row in self.rows if text.lower() in row.name.lower()]
        if self._is_name(text) or not text or not meant:
            return True  # whoever looks for it tells whether it is one
        self.say(f"no model is called {text}; enter takes {meant[0].name}", fault=True)
        return False

    @on(Picker.Changed)
    @on(Picker.Moved)
    def _follow(self, event: Picker.Changed) -> None:
        if not self.moved:
            self._list(best=bool(self.text) and self.text != self._first)
        self._say_facts()

    @on(Picker.Taken)
    def _take_it(self, event: Picker.Taken) -> None:
        self.write(event.key)
        self.query_one("#model").focus()

    def _know(self, models: Sequence[ModelChoice]) -> None:
        self._models = in_order(models, self._first_named)
        self._finder = Finder(
            self._models,
            lambda one: one.shown,
            lambda one: f"{one.architecture or ''} {one.description} {one.name}",
            self._models.index,
        )
        self._names = {one.name for one in self._models}

    def _list(self, *, best: bool) -> None:
        text = self.text
        found = self._models if text == self._first else self._finder.matching(text)
        if "/" in text or text.startswith((".", "~")):
            names = {one.name for one in found}
            found = [*found, *(one for one in choices_in(text) if one.name not in names)]
        self._listed = {one.name: one for one in found}
        self.show([model_row(one, text) for one in found], best=best)

    def _say_facts(self) -> None:
        found = self._listed.get(self.text if self.row is None else self.row.key)
        self.say("" if found is None else model_facts(found))

    def _is_name(self, text: str) -> bool:
        """Return whether a text names a model, as far as that shows here."""
        if text in self._names:
            return True
        path = Path(at_home(text))
        try:
            if kind_at(path) == "file" or kind_at(path / CONFIG) is not None:
                return True
        except CornerstoneError:
            return False
        longer = any(row.key.lower().startswith(text.lower()) for row in self.rows)
        return _HUB_ID.fullmatch(text) is not None and not longer


def all_models(named: Sequence[str]) -> list[ModelChoice]:
    """Return all models on this machine, and those that are ``named`` by their paths."""
    found = list(all_choices())
    names = {one.name for one in found}
    return [*found, *(one for name in named if name not in names and (one := choice_at(name)) is not None)]
