"""A prompt to continue, and the rules by which the continuation is chosen and ends. They are lm-eval's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from transformers import LogitsProcessorList, StoppingCriteriaList


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text to continue, as lm-eval gives it to a model.

    Attributes:
        tokens: its token ids.
        max_length: the most tokens of the prompt and its continuation.
        stop: texts at which the continuation ends.
        options: further settings of transformers' ``generate``.
    """

    tokens: tuple[int, ...]
    max_length: int
    stop: tuple[str, ...]
    options: Mapping[str, Any]

    @property
    def most_new(self) -> int:
        """Return the most tokens of the continuation."""
        return self.max_length - len(self.tokens)


@dataclass(frozen=True, slots=True)
class Rules:
    """Transformers and lm-eval apply ``processors`` to logits; ``ends`` ends a text, and remembers it."""

    processors: LogitsProcessorList
    ends: StoppingCriteriaList


class RuleBook(Protocol):
    """Gives the rules of a prompt; ``core.engine.encoding.RequestEncoder`` is one."""

    def rules(self, prompt: Prompt) -> Rules:
        """Return new rules for one continuation of a prompt."""
