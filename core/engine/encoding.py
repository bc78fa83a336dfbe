"""From lm-eval's requests to token ids, by lm-eval's own code: what it would feed its model is what we feed ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM

from core.engine.load import LoadedModel
from core.engine.packing import TokenRequest
from core.machine.quiet_libraries import quiet_libraries


class RequestEncoder:
    """Encodes requests for one model, and knows its window and chat template."""

    def __init__(self, model: LoadedModel) -> None:
        with quiet_libraries():
            self._lm = _CapturingLM(pretrained=model.model, tokenizer=model.tokenizer, batch_size=1)

    @property
    def max_length(self) -> int:
        """The model's window in tokens, as lm-eval sees it."""
        return int(self._lm.max_length)

    @property
    def chat_template(self) -> Any:
        """Renders a list of messages, as lm-eval's tasks expect it."""
        return self._lm.apply_chat_template

    @property
    def chat_template_text(self) -> str | None:
        """The template's source, or None where the tokenizer has none."""
        text = self._lm.tokenizer.chat_template
        return None if text is None else str(text)

    def encode(self, instance: Instance) -> tuple[TokenRequest, ...]:
        """The continuations that one request scores: one, or the windows of a rolling log-likelihood."""
        self._lm.captured.clear()
        if instance.request_type == "loglikelihood_rolling":
            self._lm.loglikelihood_rolling([instance], disable_tqdm=True)
        else:
            self._lm.loglikelihood([instance], disable_tqdm=True)
        return tuple(self._lm.captured)


class _CapturingLM(HFLM):  # type: ignore[misc]
    """lm-eval's model, stopped where it would run: notes the token ids instead."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.captured: list[TokenRequest] = []

    def _loglikelihood_tokens(
        self, requests: Sequence[tuple[Any, list[int], list[int]]], **_options: Any
    ) -> list[tuple[float, bool]]:
        self.captured += [TokenRequest(tuple(context), tuple(target)) for _, context, target in requests]
        return [(0.0, False)] * len(requests)
