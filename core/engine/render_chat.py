"""``python -m core.engine.render_chat``: render a model's chat template for another process, within bounds.

A template comes with a model, so it may loop for ever or fill the memory. This process may be killed; the one that
evaluates may not. Each line of stdin is a ``Request`` as JSON, and each line of stdout its answer.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final

import jinja2
from transformers.utils.chat_template_utils import render_jinja_template

from core.machine.plain_text import is_utf8, plain
from core.machine.whole_number import whole

MEMORY_BYTES: Final = 512 * 2**20
"""Memory that a template may take, where the system can bound it."""

LONGEST: Final = 200_000
"""Letters that a template may add to messages ten times as long as they are."""

CPU_SECONDS: Final = 10
"""Processor time of one prompt at most, where the system can bound it: the other process may be gone."""

_LONGEST_ERROR = 200


def main() -> None:
    """Answer requests until stdin ends."""
    _bound_memory()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        _bound_time()
        print(json.dumps(_answer(json.loads(line))), flush=True)


def _answer(request: dict[str, Any]) -> dict[str, str]:
    """Return the text that a template makes of messages, or what is wrong with it."""
    try:
        text = _rendered(request["template"], request["messages"], request["prompts"], request["settings"])
    except MemoryError:
        return {"fault": f"it needs more than {MEMORY_BYTES // 2**20} MiB for one prompt"}
    except RecursionError:
        return {"fault": "it calls itself without end"}
    except Exception as error:  # noqa: BLE001 a template may raise anything
        said = plain(str(error).strip().partition("\n")[0]).strip()[:_LONGEST_ERROR]
        return {"fault": said or type(error).__name__}
    most = LONGEST + 10 * sum(len(str(one.get("content"))) for one in request["messages"])
    if len(text) > most:
        return {"fault": f"it makes more than {whole(most)} letters of one prompt"}
    if not is_utf8(text):
        return {"fault": "it makes characters of a prompt that no text has"}
    return {"text": text}


def _rendered(template: str, messages: list[dict[str, str]], prompts: bool, settings: dict[str, Any]) -> str:
    """Render messages as transformers' tokenizers do, without the system's messages if lm-eval would drop them."""
    try:
        return _once(template, messages, prompts, settings)
    except jinja2.TemplateError:
        return _once(template, [one for one in messages if one["role"] != "system"], prompts, settings)


def _once(template: str, messages: list[dict[str, str]], prompts: bool, settings: dict[str, Any]) -> str:
    if not messages:
        raise ValueError("it does not take a system message, and there is no other")
    chat = [{key: value for key, value in one.items() if value is not None} for one in messages]
    rendered, _ = render_jinja_template(
        conversations=[chat],
        chat_template=template,
        add_generation_prompt=prompts,
        continue_final_message=not prompts,
        **settings,
    )
    return str(rendered[0])


def _bound_memory() -> None:
    try:
        import resource

        import psutil

        most = psutil.Process().memory_info().vms + MEMORY_BYTES
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))
    except (ImportError, OSError, ValueError):
        pass  # the other process watches the memory too


def _bound_time() -> None:
    try:
        import resource
        import time

        used = int(time.process_time()) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (used + CPU_SECONDS, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    except (ImportError, OSError, ValueError):
        pass


if __name__ == "__main__":
    main()
