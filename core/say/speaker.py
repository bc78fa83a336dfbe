"""Continue prompts with one model, as it is and without some of its players, token by token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor

from core.coalitions.players import Removed
from core.engine.encoding import EncodingFaultError, RenderChat, RequestEncoder
from core.engine.generation import Step, likeliest
from core.engine.load import LoadedModel
from core.engine.prompt import Prompt
from core.engine.sizes import sizes_for
from core.engine.sweep import ignore_batches
from core.errors import CornerstoneError
from core.machine.whole_number import whole
from core.say.choosing import drawn
from core.say.said import TOP, Ask, Dialogue, End, Voice
from core.study.chunks import is_out_of_memory

_UNFINISHED = "\ufffd"
"""Stands for the bytes of a character whose other bytes are in a token that has not come yet."""


class Speaker:
    """Continues prompts with one model. ``close`` ends the process that renders its chat template."""

    def __init__(self, model: LoadedModel, encoder: RequestEncoder) -> None:
        self.model = model
        self._encoder = encoder
        self._chats = ExitStack()
        self._render: RenderChat | None = None

    def close(self) -> None:
        """End what was started for the chat template."""
        self._render = None
        self._chats.close()

    def say(self, ask: Ask, removed: Removed) -> Iterator[Dialogue]:
        """Yield what the model says as it is, and without the removed players, after each token.

        Raises:
            CornerstoneError: the prompt does not fit, cannot be encoded or rendered, or memory does not suffice.
        """
        self.model.in_use.refuse_changed()
        chat = self._encoder.chat_template_text is not None if ask.chat is None else ask.chat
        prompt = self._prompt(self._rendered(ask.prompt) if chat else ask.prompt, ask.tokens, rendered=chat)
        choose = likeliest if ask.seed is None else drawn(ask.seed, ask.temperature)
        coalitions: list[Removed] = list(dict.fromkeys([(), removed]))
        voices = dict.fromkeys(coalitions, Voice())
        sizes = sizes_for(self.model.model, offloaded=self.model.offloaded)
        yield Dialogue(chat=chat)
        with _memory(prompt):
            for step in self.model.generator.steps(prompt, coalitions, self._encoder, sizes, ignore_batches, choose):
                for place, coalition in enumerate(step.coalitions):
                    voices[coalition] = self._voice(voices[coalition], step, place, prompt)
                yield Dialogue(chat=chat, intact=voices[()], masked=voices[removed])
        self.model.in_use.refuse_changed()

    def _rendered(self, text: str) -> str:
        """Return a message of a person in the model's chat template, up to where the model answers."""
        if self._encoder.chat_template_text is None:
            raise CornerstoneError(f"{self.model.record.name} has no chat template; say it without one")
        if not text.strip():
            raise CornerstoneError("the message is white space alone; write what the model should answer")
        if self._render is None:
            self._render = self._chats.enter_context(self._encoder.chat_renderer())
        try:
            return self._render([{"role": "user", "content": text}], add_generation_prompt=True)
        except CornerstoneError:
            self.close()  # it may still be at work, or gone
            raise

    def _prompt(self, text: str, tokens: int, *, rendered: bool) -> Prompt:
        try:
            return self._encoder.encode_text(text, tokens, rendered=rendered)
        except EncodingFaultError as error:
            raise CornerstoneError(f"{self.model.record.name} cannot continue this prompt: {error}") from error

    def _voice(self, before: Voice, step: Step, place: int, prompt: Prompt) -> Voice:
        """Return what a model has said after a step, which is its place in the batch."""
        if not step.sound[place]:
            return before.model_copy(update={"end": "no numbers"})
        tokens: list[int] = step.tokens[place].tolist()
        text = str(self.model.tokenizer.decode(tokens, skip_special_tokens=True))
        end: End | None = None
        if step.ended[place]:
            end = "length" if len(tokens) == prompt.most_new and tokens[-1] not in self._encoder.ends else "end of text"
        else:
            text = text.rstrip(_UNFINISHED)
        return Voice(text=text, tokens=len(tokens), top=before.top or self._top(step.logits[place]), end=end)

    def _top(self, logits: Tensor) -> tuple[tuple[str, float], ...]:
        """Return the likeliest tokens, with their probabilities."""
        likely = logits.softmax(dim=-1).topk(min(TOP, logits.shape[-1]))
        return tuple(
            (self._token(token), probability)
            for token, probability in zip(likely.indices.tolist(), likely.values.tolist(), strict=True)
        )

    def _token(self, number: int) -> str:
        """Return the text of a token, or its number where it has none or is a part of a character."""
        text = str(self.model.tokenizer.decode([number]))
        return text if text and _UNFINISHED not in text else f"<token-{number}>"


@contextmanager
def _memory(prompt: Prompt) -> Iterator[None]:
    """Say in one sentence that memory ran out inside the block."""
    try:
        yield
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise CornerstoneError(
            f"memory does not suffice to continue a prompt of {whole(len(prompt.tokens))} tokens by "
            f"{whole(prompt.most_new)}; shorten it or ask for fewer tokens"
        ) from error
