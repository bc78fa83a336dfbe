"""What `say` is to do without an explorer: the model, what is removed of it, and the manner. Light to import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pydantic

from core.coalitions.players import Player, Removed, parse_removed, refuse_no_names, removed_set
from core.config.faults import in_words, worst
from core.config.model_config import ModelConfig
from core.config.task_config import TaskConfig
from core.errors import CornerstoneError
from core.say.said import Manner


class SayConfig(ModelConfig, frozen=True, extra="forbid"):
    """A model, the names of the players to remove from it, as in ``Attn 0,FFN 3``, and the manner of speaking."""

    remove: tuple[str, ...] = ()
    manner: Manner = Manner()

    def removed(self, players: Sequence[Player]) -> Removed:
        """Return the players to remove.

        Raises:
            CornerstoneError: the model has no player of a name.
        """
        return removed_set(number for text in self.remove for number in parse_removed(text, players))

    def refuse_no_names(self) -> None:
        """Refuse names that no model can have, before the players are known.

        Raises:
            CornerstoneError: a name is not a kind of player followed by a number.
        """
        for text in self.remove:
            refuse_no_names(text)


def say_config(options: Mapping[str, Any]) -> SayConfig:
    """Make a configuration from options, None for one that was not given.

    Raises:
        CornerstoneError: a value is wrong.
    """
    given = {key: value for key, value in options.items() if value is not None}
    try:
        return SayConfig.model_validate(given)
    except pydantic.ValidationError as error:
        raise CornerstoneError(in_words(worst(error), given, tuple(SayConfig.model_fields), TaskConfig)) from error
