"""Encode lm-eval's requests as token ids with lm-eval's own code, so that our model reads what lm-eval's would."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from torch import Tensor
from transformers import GenerationConfig, PreTrainedTokenizerBase

from core.engine.chat_template import ChatTemplate
from core.engine.load import LoadedModel
from core.engine.load_faults import is_panic
from core.engine.packing import TokenRequest
from core.engine.prompt import Prompt, Rules
from core.engine.writing_rules import fault_of_rules
from core.errors import CornerstoneError
from core.machine.plain_text import plain
from core.machine.quiet_libraries import quiet_libraries
from core.machine.whole_number import whole

_SHOWN = 60
_LONGEST_FAULT = 200
_INCIDENTAL = frozenset({"transformers_version", "_from_model_config", "do_sample", "temperature", "top_k", "top_p"})
"""Settings for writing texts that say who wrote them, or that matter only where tokens are drawn at random."""

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
            self._refuse_unknown((*part.context, *part.continuation))
        return tuple(self._lm.captured)

    def encode_prompt(self, instance: Instance) -> Prompt:
        """Return the prompt that a request for a text has the model continue.

        Raises:
            EncodingFaultError: lm-eval cannot have the model continue the request with this tokenizer.
        """
        if self._lm.tokenizer.eos_token_id is None:
            raise EncodingFaultError("the tokenizer has no token that ends a text, which lm-eval needs to write one")
        prompts: list[Prompt] = []

        def capture(prompt: Prompt) -> tuple[int, ...]:
            prompts.append(prompt)
            return ()

        try:
            self._written(instance, capture)
        except AssertionError as error:
            room = f"the answer may be longer than the model's context of {self.max_length} tokens"
            raise EncodingFaultError(f"{room}, which leaves none for the prompt") from error
        (prompt,) = prompts
        if not prompt.tokens:
            raise EncodingFaultError("its prompt has no token; it may be white space alone")
        self._refuse_unknown(prompt.tokens)
        return self._checked(prompt)

    def encode_text(self, text: str, most_new: int, *, rendered: bool) -> Prompt:
        """Return the prompt that has the model continue a text, until it ends it or has written so many tokens.

        Args:
            text: the text.
            most_new: the most tokens of the continuation.
            rendered: whether a chat template made the text, with the special tokens that belong at its beginning.

        Raises:
            EncodingFaultError: the text has no token, does not fit into the model's context, or the model's own
                settings for writing texts cannot be followed.
        """
        with quiet_libraries():
            tokens = tuple(self._lm.tok_encode(text, add_special_tokens=False if rendered else None))
        if not tokens:
            raise EncodingFaultError("it has no token; it may be white space alone")
        if len(tokens) + most_new > self.max_length:
            raise EncodingFaultError(
                f"it has {whole(len(tokens))} tokens and {whole(most_new)} more are asked for, but the model's context "
                f"has {whole(self.max_length)}; shorten it or ask for fewer tokens"
            )
        self._refuse_unknown(tokens)
        settings: dict[str, Any] = {"do_sample": False, "num_beams": 1, "max_new_tokens": most_new}
        if self.ends:
            settings["eos_token_id"] = sorted(self.ends)
        return self._checked(Prompt(tokens, len(tokens) + most_new, (), settings))

    @property
    def ends(self) -> frozenset[int]:
        """Return the tokens that end a text, by the model's settings for writing texts and by its tokenizer."""
        own = self._lm.model.generation_config.eos_token_id
        return frozenset(one for one in (*_as_list(own), self._lm.tokenizer.eos_token_id) if one is not None)

    def text(self, instance: Instance, tokens: tuple[int, ...]) -> str:
        """Return the text of the tokens that continue a request, as lm-eval reads and cuts it."""
        return self._written(instance, lambda _prompt: tokens)

    def _written(self, instance: Instance, write: Callable[[Prompt], tuple[int, ...]]) -> str:
        """Return the text that lm-eval makes of the tokens that ``write`` returns for its prompt."""
        self._lm.write = write
        (text,) = self._lm.generate_until([instance], disable_tqdm=True)
        return str(text)

    def rules(self, prompt: Prompt) -> Rules:
        """Return what lm-eval and transformers apply to the continuation of a prompt."""
        return self._prepared(prompt)[0]

    def _prepared(self, prompt: Prompt) -> tuple[Rules, GenerationConfig]:
        """Return what transformers makes of the settings of a prompt, those of the model among them."""
        found: list[tuple[Rules, GenerationConfig]] = []

        def catch(
            _model: Any,
            input_ids: Tensor,
            logits_processor: Any,
            stopping_criteria: Any,
            generation_config: GenerationConfig,
            **_others: Any,
        ) -> Tensor:
            found.append((Rules(logits_processor, stopping_criteria), generation_config))
            return input_ids

        with quiet_libraries():
            self._lm.generate(prompt, catch)
        return found[0]

    def _checked(self, prompt: Prompt) -> Prompt:
        """Return a prompt with the length that transformers allows its continuation.

        Raises:
            EncodingFaultError: the settings are none, or are not those of a greedy search by the logits alone.
        """
        try:
            rules, settings = self._prepared(prompt)
        except (ValueError, TypeError) as error:
            said = plain(str(error).strip().partition("\n")[0])[:_LONGEST_FAULT] or type(error).__name__
            raise EncodingFaultError(f"transformers refuses the settings for writing a text: {said}") from error
        if (fault := fault_of_rules(rules, settings)) is not None:
            raise EncodingFaultError(f"{fault} (by the task's settings, or the model's generation_config.json)")
        checked = replace(prompt, max_length=int(settings.max_length))
        if checked.most_new < 1:
            raise EncodingFaultError("its settings leave no room for an answer")
        return checked

    @property
    def generation_settings(self) -> Mapping[str, Any]:
        """Return the model's own settings for writing texts, which lm-eval leaves as they are."""
        settings: Mapping[str, Any] = self._lm.model.generation_config.to_diff_dict()
        return {key: value for key, value in settings.items() if key not in _INCIDENTAL}

    def _refuse_unknown(self, tokens: Sequence[int]) -> None:
        """Raise if the model has no embedding for a token, as for one that was added to the tokenizer alone."""
        if (last := max(tokens, default=0)) >= self._rows:
            raise CornerstoneError(
                f"a text has the token {self._lm.tokenizer.convert_ids_to_tokens(last)!r}, which is number {last}, "
                f"but the model has embeddings for {whole(self._rows)} tokens only"
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


def _as_list(tokens: int | list[int] | None) -> list[int]:
    return tokens if isinstance(tokens, list) else [] if tokens is None else [tokens]


def _without_tokens(instance: Instance) -> str:
    return f"the choice {_short(instance.args[-1])} has no token"


def _short(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")


class _CapturingLM(HFLM):  # type: ignore[misc]
    """lm-eval's Hugging Face model, which records the token ids instead of running the model."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.captured: list[TokenRequest] = []
        self.write: Callable[[Prompt], tuple[int, ...]] = lambda _prompt: ()

    def generate(self, prompt: Prompt, decode: Callable[..., Tensor]) -> None:
        """Let lm-eval and transformers prepare the continuation of a prompt, which ``decode`` then receives."""
        tokens = torch.tensor([prompt.tokens], device=self.device)
        super()._model_generate(
            tokens,
            prompt.max_length,
            list(prompt.stop),
            attention_mask=torch.ones_like(tokens),
            custom_generate=decode,
            **prompt.options,
        )

    def _model_generate(self, context: Tensor, max_length: int, stop: list[str], **options: Any) -> Tensor:
        settings = {key: value for key, value in options.items() if key != "attention_mask"}
        prompt = Prompt(tuple(context[0].tolist()), max_length, tuple(stop), settings)
        return torch.tensor([[*prompt.tokens, *self.write(prompt)]])

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
