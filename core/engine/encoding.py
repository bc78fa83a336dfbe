"""Encode lm-eval's requests as token ids with lm-eval's own code, so that our model reads what lm-eval's would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

from core.engine.load import LoadedModel
from core.engine.packing import TokenRequest
from core.errors import CornerstoneError
from core.machine.quiet_libraries import quiet_libraries


class RequestEncoder:
    """Encodes requests for one model, and knows the model's context length and chat template."""

    def __init__(self, model: LoadedModel) -> None:
        with quiet_libraries():
            self._lm = _CapturingLM(pretrained=model.model, tokenizer=model.tokenizer, batch_size=1)
        self._rows = int(model.model.get_input_embeddings().weight.shape[0])

    @property
    def max_length(self) -> int:
        """Return the model's context length in tokens, as lm-eval determines it."""
        return int(self._lm.max_length)

    @property
    def chat_template(self) -> Any:
        """Return the function that renders a list of messages, in the form that lm-eval's tasks expect."""
        return self._lm.apply_chat_template

    @property
    def chat_template_text(self) -> str | None:
        """Return the source of the chat template, or None if the tokenizer has none."""
        text = self._lm.tokenizer.chat_template
        return None if text is None else str(text)

    def encode(self, instance: Instance) -> tuple[TokenRequest, ...]:
        """Return the continuations that one request scores: one, or the windows of a rolling log-likelihood."""
        self._lm.captured.clear()
        if instance.request_type == "loglikelihood_rolling":
            self._lm.loglikelihood_rolling([instance], disable_tqdm=True)
        else:
            self._lm.loglikelihood([instance], disable_tqdm=True)
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


class _CapturingLM(HFLM):  # type: ignore[misc]
    """lm-eval's Hugging Face model, which records the token ids instead of running the model."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.captured: list[TokenRequest] = []

    @property
    def prefix_token_id(self) -> int:
        """Return the token that stands before a text without a context.

        Raises:
            CornerstoneError: the tokenizer has none.
        """
        prefix = super().prefix_token_id
        if prefix is None:
            raise CornerstoneError(
                "this task has texts without a prompt, before which lm-eval puts the tokenizer's BOS or EOS token, and "
                "the tokenizer has neither; name one in its tokenizer_config.json"
            )
        return int(prefix)

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **options: Any) -> list[int]:
        if add_special_tokens is None and self.tokenizer.bos_token_id is None and self.tokenizer.eos_token_id is None:
            # Where no token is a prefix, lm-eval fails as it looks for one at the start of the text.
            add_special_tokens = True if self.add_bos_token is None else self.add_bos_token
        tokens = list(super().tok_encode(string, add_special_tokens=add_special_tokens, **options))
        if not tokens and string.strip():
            raise CornerstoneError(f"the model's tokenizer encodes {string[:60]!r} as no token at all; check its files")
        return tokens

    def _loglikelihood_tokens(
        self, requests: Sequence[tuple[Any, list[int], list[int]]], **_options: Any
    ) -> list[tuple[float, bool]]:
        self.captured += [TokenRequest(tuple(context), tuple(target)) for _, context, target in requests]
        return [(0.0, False)] * len(requests)
