"""Load a model and let it continue a prompt: what `say` does without an explorer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from core.coalitions.players import Player, Removed
from core.engine.encoding import RequestEncoder
from core.engine.load import LoadedModel
from core.say.said import Ask, Dialogue
from core.say.say_config import SayConfig
from core.say.speaker import Speaker
from core.study.chosen_model import load_chosen
from core.study.listener import Listener


@dataclass(frozen=True, slots=True)
class Conversation:
    """A loaded model, and the players that are removed from it."""

    model: LoadedModel
    removed: Removed

    @property
    def gone(self) -> tuple[Player, ...]:
        """Return the players that are removed."""
        return tuple(self.model.players[number] for number in self.removed)

    def dialogue(self, ask: Ask) -> Iterator[Dialogue]:
        """Yield what both models have said, after each token; see ``Speaker.say`` for the errors."""
        with closing(Speaker(self.model, RequestEncoder(self.model))) as speaker:
            yield from speaker.say(ask, self.removed)


def open_conversation(config: SayConfig, listener: Listener) -> Conversation:
    """Load the model of a configuration.

    Raises:
        CornerstoneError: the model cannot be had, or has no player of a name.
    """
    model = load_chosen(config, listener, config.removed)
    return Conversation(model, config.removed(model.players))
