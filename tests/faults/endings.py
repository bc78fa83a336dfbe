"""How a program must end: with a result, or with one sentence for people."""

from __future__ import annotations

import re
import subprocess

from core.errors import CornerstoneError

_PREFIX = "cornerstone: "
# What a program says about its work before it finds that something is wrong.
_NARRATION = re.compile(
    r"(getting ready|loading|reading|converting|fetching|preparing|run [0-9a-f]{6,}:|\S+ on \S+:|wrote |stored |"
    r"the store |waiting|outcomes|a run |another )"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LONGEST = 2000


def refused(done: subprocess.CompletedProcess[str], code: int = 2) -> str | None:
    """Return what is wrong with a refusal, None if it is one sentence on stderr and has the exit code."""
    if done.returncode != code:
        return f"exit code {done.returncode} instead of {code}: {_short(done.stderr or done.stdout)}"
    if done.stdout:
        return f"something on stdout: {_short(done.stdout)}"
    return sentence(done.stderr)


def ended_well(done: subprocess.CompletedProcess[str], *codes: int) -> str | None:
    """Return what is wrong with an ending: None for exit code 0, or for a sentence with one of ``codes``."""
    if done.returncode == 0:
        return None if "Traceback (most" not in done.stderr else f"a traceback: {_short(done.stderr)}"
    if done.returncode not in codes:
        return f"exit code {done.returncode}: {_short(done.stderr or done.stdout)}"
    return sentence(done.stderr)


def sentence(stderr: str) -> str | None:
    """Return what is wrong with the text on stderr, None if it ends in one sentence and has no other but narration."""
    *before, last = stderr.splitlines() or [""]
    text = last.removeprefix(_PREFIX)
    if text == last or not text.strip():
        return f"no sentence at the end of stderr: {_short(stderr)}"
    if "Traceback (most" in stderr:
        return f"a traceback: {_short(stderr)}"
    if control := _CONTROL.search(stderr.replace("\n", "")):
        return f"a control character {control[0]!r} on stderr"
    if len(text) > _LONGEST:
        return f"a sentence of {len(text)} letters: {_short(text)}"
    if other := [line for line in before if not _NARRATION.match(line)]:
        return f"more than one sentence: {_short(other[0])} ... {_short(last)}"
    return None


def spoken(error: BaseException) -> str | None:
    """Return what is wrong with an error that a reader raised, None if it is one for people."""
    if isinstance(error, CornerstoneError) and "\n" not in str(error):
        return None
    return f"{type(error).__name__}: {_short(str(error))}"


def _short(text: str) -> str:
    """Return the end of a text, on one line."""
    text = " ".join(_CONTROL.sub("?", text).split())
    return text if len(text) <= 300 else f"... {text[-300:]}"
