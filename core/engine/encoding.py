"""Encode lm-eval's requests as token ids with lm-eval's own code, so that our model reads what lm-eval's would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from transformers import PreTrainedTokenizerBase

from core.engine.chat_template import ChatTemplate
from core.engine.load import LoadedModel
from core.engine.load_faults import is_panic
from core.engine.packing import TokenRequest
from core.errors import CornerstoneError
from core.machine.plain_text import plain
from core.machine.quiet_libraries import quiet_libraries

_SHOWN = 60
_LONGEST_FAULT = 200

RenderChat = Callable[..., str]
"""Renders a list of messages; takes ``add_generation_prompt`` too, as lm-eval's tasks expect."""


class EncodingFaultError(ValueError):
    """What keeps a request from being scored, in words."""


class RequestEncoder:
    """Encodes requests for one model, and knows the model's context length and chat template."""

    def __init__(self, model: LoadedModel) -> None:
        self._name = model.record.name
        with quiet_libraries():
            self._lm = _CapturingLM(pretrained=model.model, tokenizer=model.tokenizer, batch_size=1)
        self._rows = int(model.model.get_input_embeddings().weight.shape[0])

    @property
    def max_length(self) -> int:
        """Return the model's context length in tokens, as lm-eval determines it."""
        return int(self._lm.max_length)

    @property
    def chat_template_text(self) -> str | None:
        """Return the source of the chat template, or None if the tokenizer has none."""
        text = self._lm.tokenizer.chat_template
        return None if text is None else str(text)

    @contextmanager
    def chat_renderer(self) -> Iterator[RenderChat]:
        """Yield the function that renders chats with the model's template, for the time of the block.

        Raises:
            CornerstoneError: the model has several templates, and none is the default. The function raises it where
                the template fails, takes too long, or makes too much of the messages.
        """
        tokenizer = self._lm.tokenizer
        if type(tokenizer).apply_chat_template is not PreTrainedTokenizerBase.apply_chat_template:
            yield self._lm.apply_chat_template  # code of the library, which reads no template
            return
        try:
            text = tokenizer.get_chat_template()
        except ValueError as error:
            raise CornerstoneError(f"{self._name} has several chat templates, and none is its default") from error
        settings: Mapping[str, Any] = {**tokenizer.special_tokens_map, **self._lm.chat_template_args}
        with ChatTemplate(self._name, text, settings).renderer() as render:
            yield render

    def encode(self, instance: Instance) -> tuple[TokenRequest, ...]:
        """Return the continuations that one request scores: one, or the windows of a rolling log-likelihood.

        Raises:
            EncodingFaultError: lm-eval cannot score the request with this tokenizer.
        """
        self._lm.captured.clear()
        for text in instance.args:
            if not isinstance(text, str):
                raise EncodingFaultError(f"text is needed to score, not a {type(text).__name__}")
        try:
            if instance.request_type == "loglikelihood_rolling":
                self._lm.loglikelihood_rolling([instance], disable_tqdm=True)
            else:
                self._lm.loglikelihood([instance], disable_tqdm=True)
        except IndexError as error:
            raise EncodingFaultError(_without_tokens(instance)) from error
        for part in self._lm.captured:
            _refuse_unscorable(part, instance)
        self._refuse_unknown()
        return tuple(self._lm.captured)

    def _refuse_unknown(self) -> None:
        """Raise if the model has no embedding for a token, as for one that was added to the tokenizer alone."""
        for request in self._lm.captured:
            if (last := max((*request.context, *request.continuation), default=0)) >= self._rows:
                raise CornerstoneError(
                    f"a text has the token {self._lm.tokenizer.convert_ids_to_tokens(last)!r}, which is number {last}, "
                    f"but the model has embeddings for {self._rows:,} tokens only"
                )


def _refuse_unscorable(part: TokenRequest, instance: Instance) -> None:
    """Refuse a request for which lm-eval would fail: something to score and something before it are needed."""
    choice = instance.args[-1]
    if None in part.context:
        raise EncodingFaultError("there is no prompt, and the tokenizer has neither BOS nor EOS to stand in its place")
    if not part.context:
        raise EncodingFaultError("its prompt has no token; it may be white space alone")
    if not part.continuation and instance.args[0] == "":
        raise EncodingFaultError(f"the choice {_short(choice)} is the token that stands in place of an empty prompt")
    if not part.continuation and not choice.strip():
        raise EncodingFaultError(_without_tokens(instance))
    if not part.continuation:
        joined = f"the tokenizer joins the end of the prompt and the choice {_short(choice)}"
        raise EncodingFaultError(f"{joined}, so that no token of the choice is left to score")


def _without_tokens(instance: Instance) -> str:
    return f"the choice {_short(instance.args[-1])} has no token"


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


class _CapturingLM(HFLM):  # type: ignore[misc]
    """lm-eval's Hugging Face model, which records the token ids instead of running the model."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.captured: list[TokenRequest] = []

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **options: Any) -> list[int]:
        """Encode text. Without BOS and EOS no text begins with them, which lm-eval fails to see.

        Raises:
            CornerstoneError: the tokenizer makes no token of a text, or cannot encode it, as where it has no token for
                words that it does not know.
        """
        if self.prefix_token_id is None and add_special_tokens is None:
            add_special_tokens = True if self.add_bos_token is None else self.add_bos_token
        try:
            tokens = list(super().tok_encode(string, add_special_tokens=add_special_tokens, **options))
        except BaseException as error:  # tokenizers raises nothing narrower than Exception, and panics besides
            if not isinstance(error, Exception) and not is_panic(error):
                raise
            said = plain(str(error).strip().partition("\n")[0])[:_LONGEST_FAULT] or type(error).__name__
            raise CornerstoneError(f"the model's tokenizer cannot encode {_short(string)}: {said}") from error
        if not tokens and string.strip():
            raise CornerstoneError(
                f"the model's tokenizer encodes {_short(string)} as no token at all; check its files"
            )
        return tokens

    def _loglikelihood_tokens(
        self, requests: Sequence[tuple[Any, list[int], list[int]]], **_options: Any
    ) -> list[tuple[float, bool]]:
        self.captured += [TokenRequest(tuple(context), tuple(target)) for _, context, target in requests]
        return [(0.0, False)] * len(requests)
