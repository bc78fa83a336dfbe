"""What of the store is looked at. Light to import: home has a scope before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from core.estimators.question import Question
from core.estimators.setting import Number

if TYPE_CHECKING:
    from store.tables import Asked, Table

_PAIR: Final = 2


@dataclass(frozen=True, slots=True)
class Scope:
    """The results that a table shows: those of one model and task, or (None) of all, by the charted value.

    ``settings`` are those of estimators. ``question`` has Shapley values besides those of the windows of sublayers.
    """

    model_id: str | None = None
    task_id: str | None = None
    value: str | None = None
    settings: Mapping[str, Number] = field(default_factory=lambda: MappingProxyType({}))
    question: Question | None = None

    @property
    def asked(self) -> Asked:
        """The scope in the form that tables read."""
        from store.rows import Selection
        from store.tables import Asked

        return Asked(
            Selection(self.model_id, self.task_id), value=self.value, settings=self.settings, question=self.question
        )

    def asked_of(self, table: Table) -> Asked:
        """Return what a table is asked: interactions for pairs at least, as the explorer may have run single layers."""
        from store.rows import InteractionRow

        asked = self.asked
        if table.row is InteractionRow and asked.max_removed < _PAIR:
            return replace(asked, settings={**asked.settings, "max_removed": _PAIR})
        return asked

    @property
    def narrow(self) -> bool:
        """True if the scope is of one model or one task."""
        return (self.model_id, self.task_id) != (None, None)

    def of(self, row: Any) -> Scope:
        """Return this scope for the model and task of one row."""
        return replace(self, model_id=row.model_id, task_id=row.task_id)

    @property
    def wide(self) -> Scope:
        """Return this scope for every model and task."""
        return replace(self, model_id=None, task_id=None)
