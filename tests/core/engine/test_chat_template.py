"""Chat templates are rendered in a process of their own, to the same text as by transformers' tokenizers."""

from __future__ import annotations

import threading
from pathlib import Path

import psutil
import pytest

from core.engine.chat_template import Renderer
from core.engine.encoding import RequestEncoder
from core.engine.load import load_model
from core.errors import CornerstoneError
from core.models.lookup import ModelSource

QUESTION = {"role": "user", "content": "Who said “no”?\nAnd why? {{ 1 }}"}
CHATS = (
    ([QUESTION], True),
    ([{"role": "system", "content": "Be brief."}, QUESTION], True),
    ([QUESTION, {"role": "assistant", "content": "The cat"}], False),
    ([QUESTION, {"role": "assistant", "content": "The cat"}, QUESTION], True),
)
WITHOUT_SYSTEM = (
    "{% for message in messages %}{% if message.role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    "[{{ message.role }}] {{ message.content }}{{ eos_token }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)


@pytest.fixture(scope="module")
def encoder(tiny_model_folder: Path) -> RequestEncoder:
    return RequestEncoder(load_model(ModelSource("tiny", tiny_model_folder, "tiny", None)))


@pytest.mark.slow
@pytest.mark.parametrize("template", [None, WITHOUT_SYSTEM])
def test_an_ordinary_template_renders_as_ever(
    template: str | None, encoder: RequestEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    if template is not None:
        monkeypatch.setattr(encoder._lm.tokenizer, "chat_template", template)
    with encoder.chat_renderer() as render:
        for chat, prompts in CHATS:
            theirs = encoder._lm.apply_chat_template(chat, add_generation_prompt=prompts)
            assert render(chat, add_generation_prompt=prompts) == theirs


@pytest.mark.slow
def test_the_process_ends_with_its_block_also_while_it_loops(
    encoder: RequestEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
    monkeypatch.setattr(encoder._lm.tokenizer, "chat_template", loop)
    with encoder.chat_renderer() as render:
        assert isinstance(render, Renderer)
        number = render._process.pid
        with pytest.raises(CornerstoneError, match="does not finish a prompt within"):
            render([QUESTION])
        assert psutil.pid_exists(number)
    assert not psutil.pid_exists(number)


def test_characters_that_no_text_has_are_refused(encoder: RequestEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder._lm.tokenizer, "chat_template", "{{ '\\ud800' }}{{ messages[0].content }}")
    with (
        encoder.chat_renderer() as render,
        pytest.raises(CornerstoneError, match="that no text has"),
    ):
        render([QUESTION])


@pytest.mark.slow
def test_time_for_which_the_process_did_not_run_does_not_count(encoder: RequestEncoder) -> None:
    with encoder.chat_renderer() as render:
        assert isinstance(render, Renderer)
        text = render([QUESTION])
        process = psutil.Process(render._process.pid)
        process.suspend()
        waker = threading.Timer(2, process.resume)
        waker.start()
        assert render([QUESTION]) == text
        waker.join()
