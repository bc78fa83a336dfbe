"""What is asked of a model, and what it has said so far, as plain values for messages and files. Light to import."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import pydantic

MOST_PROMPT: Final = 150_000
"""The most characters of a prompt."""

MOST_TOKENS: Final = 4096
"""The most tokens of a continuation; it may also end before."""

DEFAULT_TOKENS: Final = 40

TOP: Final = 5
"""How many candidates for the next token are told."""

MOST_SEED: Final = 2**63 - 1
MOST_TEMPERATURE: Final = 100.0

End = Literal["end of text", "length", "no numbers"]
"""Why a continuation ended: the model ended it, it has as many tokens as asked for, or the model gave no numbers."""


class Manner(pydantic.BaseModel, frozen=True, extra="forbid"):
    """How a prompt is to be continued.

    ``tokens`` is the most tokens of the continuation. Each is the most likely one, or with a ``seed`` drawn from all
    tokens by their probabilities at ``temperature``. ``chat`` puts the prompt into the model's chat template; None does
    so where the model has one.
    """

    tokens: Annotated[int, pydantic.Field(ge=1, le=MOST_TOKENS)] = DEFAULT_TOKENS
    seed: Annotated[int, pydantic.Field(ge=0, le=MOST_SEED)] | None = None
    temperature: Annotated[float, pydantic.Field(gt=0, le=MOST_TEMPERATURE, allow_inf_nan=False)] = 1.0
    chat: bool | None = None


class Ask(Manner, frozen=True, extra="forbid"):
    """A prompt, and how it is to be continued."""

    prompt: Annotated[str, pydantic.Field(min_length=1, max_length=MOST_PROMPT)]


class Voice(pydantic.BaseModel, frozen=True, extra="forbid"):
    """The text of one model so far.

    ``top`` has the likeliest tokens after the prompt with their probabilities, the likeliest first. ``tokens`` counts
    those of the text; ``end`` is None while it goes on.
    """

    text: str = ""
    tokens: int = 0
    top: tuple[tuple[str, float], ...] = ()
    end: End | None = None


class Dialogue(pydantic.BaseModel, frozen=True, extra="forbid"):
    """The texts of both models so far. ``chat`` says whether the prompt was put into the model's chat template."""

    chat: bool = False
    intact: Voice = Voice()
    masked: Voice = Voice()
