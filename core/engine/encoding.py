"""Encode lm-eval's requests as token ids with lm-eval's own code, so that our model reads what lm-eval's would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

from core.engine.load import LoadedModel
from core.engine.packing import TokenRequest
from core.machine.quiet_libraries import quiet_libraries


class RequestEncoder:
    """Encodes requests for one model, and knows the model's context length and chat template."""

    def __init__(self, model: LoadedModel) -> None:
        with quiet_libraries():
            self._lm = _CapturingLM(pretrained=model.model, tokenizer=model.tokenizer, batch_size=1)

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
        return tuple(self._lm.captured)


class _CapturingLM(HFLM):  # type: ignore[misc]
    """lm-eval's Hugging Face model, which records the token ids instead of running the model."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.captured: list[TokenRequest] = []

    def _loglikelihood_tokens(
        self, requests: Sequence[tuple[Any, list[int], list[int]]], **_options: Any
    ) -> list[tuple[float, bool]]:
        self.captured += [TokenRequest(tuple(context), tuple(target)) for _, context, target in requests]
        return [(0.0, False)] * len(requests)
