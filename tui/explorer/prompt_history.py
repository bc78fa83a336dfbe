"""The prompts that were said, in their order, with a place in them; and the file that keeps them."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import platformdirs

from core.errors import CornerstoneError
from core.machine.json_text import load_json
from core.machine.private_file import write_private
from core.machine.small_file import read_small

_MOST: Final = 100
_LONGEST: Final = 4000
"""Longer prompts are not kept, such as those of documents, which the store has."""


@dataclass(frozen=True, slots=True)
class PromptHistory:
    """Prompts from the oldest to the newest.

    ``back`` is how many steps the place is before the newest one's end, 0 for the draft, which was being written when
    the first step back was taken.
    """

    prompts: tuple[str, ...] = ()
    back: int = 0
    draft: str = ""

    def older(self, written: str) -> tuple[PromptHistory, str] | None:
        """Return the history one step back and the prompt there; None if there is none. ``written`` may be a draft."""
        if self.back >= len(self.prompts):
            return None
        moved = replace(self, back=self.back + 1, draft=self.draft if self.back else written)
        return moved, moved.prompts[-moved.back]

    def newer(self) -> tuple[PromptHistory, str] | None:
        """Return the history one step on and the prompt there, at last the draft; None where there is none."""
        if not self.back:
            return None
        moved = replace(self, back=self.back - 1)
        return moved, moved.prompts[-moved.back] if moved.back else moved.draft

    def with_newest(self, prompt: str) -> PromptHistory:
        """Return the history with a prompt as the newest, and none twice."""
        if len(prompt) > _LONGEST:
            return PromptHistory(self.prompts)
        others = tuple(one for one in self.prompts if one != prompt)
        return PromptHistory((*others, prompt)[-_MOST:])


def history_path() -> Path:
    """Return the file of the prompts (``XDG_STATE_HOME`` applies)."""
    return Path(platformdirs.user_state_dir("cornerstone", appauthor=False)) / "prompts.json"


def read_history() -> PromptHistory:
    """Read the prompts that were said before; none if they cannot be read."""
    try:
        content = load_json(read_small(history_path(), "the prompts"))
    except (OSError, CornerstoneError, ValueError):
        return PromptHistory()
    many = content if isinstance(content, list) else []
    return PromptHistory(tuple(one for one in many if isinstance(one, str) and len(one) <= _LONGEST)[-_MOST:])


def keep_prompt(prompt: str) -> PromptHistory:
    """Add a prompt to those that are kept, and return all. A home folder that cannot be written is no error."""
    history = read_history().with_newest(prompt)
    with suppress(OSError, UnicodeEncodeError):
        write_private(history_path(), json.dumps(history.prompts, ensure_ascii=False).encode())
    return history
