"""The prompt that is being continued for an explorer, a few tokens at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from core.coalitions.players import Removed, removed_set
from core.engine.encoding import RequestEncoder
from core.engine.load import LoadedModel
from core.errors import CornerstoneError
from core.evaluator.protocol import Event, Said, Say, StopSaying
from core.machine.fault_log import fault_sentence
from core.records.fingerprint import short_id
from core.say.said import Dialogue
from core.say.speaker import Speaker
from core.study.workbench import Workbench

_EVERY_S = 0.25
"""How often what was said is published."""

OTHER_PROMPT = "another prompt took its place"
OTHER_MODEL = "another model was opened in its place"


class Speech:
    """At most one prompt, which waits until a model is open, and then goes on token by token.

    It holds the prompt's place between two tokens, where the model is as it was.
    """

    def __init__(self, publish: Callable[[Event], None]) -> None:
        self._publish = publish
        self._speaker: Speaker | None = None
        self._asked: Say | None = None
        self._going_on: Iterator[Dialogue] | None = None
        self._dialogue = Dialogue()
        self._published_at = 0.0

    @property
    def waits(self) -> bool:
        """Whether there is a prompt that has not been continued to its end."""
        return self._asked is not None

    def take(self, request: Say | StopSaying) -> None:
        """Begin a prompt in place of the last one, or end one."""
        if isinstance(request, Say):
            self.end(OTHER_PROMPT)
            self._asked = request
        elif self._asked is not None and self._asked.ident == request.ident:
            self.end()

    def end(self, fault: str = "") -> None:
        """End the prompt, if there is one."""
        asked, self._asked = self._asked, None
        self._going_on = None
        if asked is not None:
            self._publish(Said(ident=asked.ident, dialogue=self._dialogue, ended=True, fault=fault))
        self._dialogue = Dialogue()

    def advance(self, bench: Workbench | None, seconds: float) -> None:
        """Continue the prompt for about so long, by a token at least. Faults are published, and end the prompt.

        Args:
            bench: has the model.
            seconds: how long.
        """
        until = time.monotonic() + seconds
        try:
            while self._asked is not None:
                self._add_a_token(bench, self._asked)
                if time.monotonic() >= until:
                    return
        except CornerstoneError as error:
            self.end(str(error))
        except Exception as error:  # noqa: BLE001 the evaluator outlives a fault in one prompt
            self.end(f"in the evaluator, {fault_sentence(error)}")

    def close(self) -> None:
        """End the prompt, and what was started for it."""
        self.end("the evaluator has ended")
        self._forget()

    def _add_a_token(self, bench: Workbench | None, asked: Say) -> None:
        if bench is None:
            raise CornerstoneError("no model is open; choose one, then say it again")
        if short_id(bench.model.record.fingerprint) != asked.model_id:
            raise CornerstoneError(OTHER_MODEL)
        if self._going_on is None:
            removed = _known(asked.removed, bench.model)
            self._going_on = self._speaker_of(bench.model, bench.encoder).say(asked.ask, removed)
        dialogue = next(self._going_on, None)
        if dialogue is None:
            self.end()
            return
        self._dialogue = dialogue
        if time.monotonic() - self._published_at > _EVERY_S:
            self._published_at = time.monotonic()
            self._publish(Said(ident=asked.ident, dialogue=dialogue))

    def _speaker_of(self, model: LoadedModel, encoder: RequestEncoder) -> Speaker:
        if self._speaker is None or self._speaker.model is not model:
            self._forget()
            self._speaker = Speaker(model, encoder)
        return self._speaker

    def opened(self, model: LoadedModel) -> None:
        """Let go of another model than the one that is open now, and end a prompt that it was continuing."""
        if self._speaker is not None and self._speaker.model is not model:
            if self._going_on is not None:
                self.end(OTHER_MODEL)
            self._forget()

    def _forget(self) -> None:
        if self._speaker is not None:
            self._speaker.close()
        self._speaker = None


def _known(removed: Removed, model: LoadedModel) -> Removed:
    if any(number not in range(len(model.players)) for number in removed):
        raise CornerstoneError(f"{model.record.name} has only {len(model.players)} players")
    return removed_set(removed)
