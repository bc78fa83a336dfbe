"""Render a model's chat template in a process of its own, because a template may loop or fill the memory."""

from __future__ import annotations

import json
import math
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import IO, Any

import psutil

from core.errors import CornerstoneError

_SECONDS = 1.0
"""Processor time that a prompt may take. An ordinary one takes a millisecond."""

_WAIT_SECONDS = 5.0
"""How long to wait for a prompt, on a machine that is busy with other work."""

_START_SECONDS = 60.0
_MOST_BYTES = 2**30
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """The chat template of a model.

    ``settings`` are the variables that it sees besides the messages, such as the special tokens.
    """

    model: str
    text: str
    settings: Mapping[str, Any]

    @contextmanager
    def renderer(self) -> Iterator[Renderer]:
        """Start a process that renders the template, and end it with the block."""
        command = [sys.executable, "-P", "-m", "core.engine.render_chat"]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
        )
        try:
            yield Renderer(self, process)
        finally:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with suppress(OSError):
                        stream.close()


class Renderer:
    """Renders chats; made by ``ChatTemplate.renderer``."""

    def __init__(self, template: ChatTemplate, process: subprocess.Popen[str]) -> None:
        self._template = template
        self._process = process
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._started = False
        assert process.stdout is not None
        threading.Thread(target=_pass_on, args=(process.stdout, self._answers), daemon=True).start()

    def __call__(self, messages: Sequence[Mapping[str, str]], add_generation_prompt: bool = True) -> str:
        """Return the prompt that the template makes of messages, in the form that lm-eval's tasks expect.

        Raises:
            CornerstoneError: the template fails, takes too long, or makes too much of the messages.
        """
        if not self._started:
            self._answer(_START_SECONDS, "the process that renders chat templates", "does not start")
            self._started = True
        request = {
            "template": self._template.text,
            "messages": list(messages),
            "prompts": add_generation_prompt,
            "settings": dict(self._template.settings),
        }
        used = _processor_time_of(self._process.pid)
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # then there is no answer either
            self._process.stdin.write(json.dumps(request, default=str) + "\n")
            self._process.stdin.flush()
        name = f"the chat template of {self._template.model}"
        answer = self._answer(_WAIT_SECONDS, name, f"does not finish a prompt within {_SECONDS:.0f} s", used + _SECONDS)
        if "text" not in answer:
            raise CornerstoneError(f"{name} cannot be used: {answer['fault']}")
        return str(answer["text"])

    def _answer(self, seconds: float, who: str, too_late: str, until: float = math.inf) -> dict[str, Any]:
        """Return the next answer.

        Args:
            seconds: how long to wait; time for which this process was stopped does not count.
            who: what is waited for, for messages.
            too_late: what it did if no answer comes in time, for messages.
            until: the processor time of the other process, counted from its start, at which to give up.

        Raises:
            CornerstoneError: the process ended, took too long, or takes too much memory.
        """
        for _ in range(round(seconds / _LOOK_SECONDS)):
            try:
                line = self._answers.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                if _memory_of(self._process.pid) > _MOST_BYTES:
                    raise CornerstoneError(f"{who} needs more than {_MOST_BYTES // 2**20} MiB of memory") from None
                if _processor_time_of(self._process.pid) > until:
                    break
                continue
            if not line:
                raise CornerstoneError(f"{who} ended its process without an answer")
            answer: dict[str, Any] = json.loads(line)
            return answer
        raise CornerstoneError(f"{who} {too_late}")


def _pass_on(stream: IO[str], answers: queue.SimpleQueue[str]) -> None:
    """Pass lines on until the stream ends; then pass on an empty text."""
    with suppress(ValueError, OSError):  # closed meanwhile
        for line in stream:
            answers.put(line)
    answers.put("")


def _processor_time_of(process: int) -> float:
    try:
        times = psutil.Process(process).cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _memory_of(process: int) -> int:
    try:
        return int(psutil.Process(process).memory_info().rss)
    except psutil.Error:
        return 0
