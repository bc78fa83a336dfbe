"""The question whether to wait for an evaluator that does not answer."""

from __future__ import annotations

from core.evaluator.silence import Silence, in_words
from tui.explorer.screens.confirm import ConfirmDialog


class SilenceDialog(ConfirmDialog):
    """Asks whether to wait, or to start another evaluator in place of this one."""

    def __init__(self, silence: Silence) -> None:
        said = in_words(silence).capitalize()
        mend = f" `kill -CONT {silence.pid}` lets it go on." if silence.stopped and silence.pid is not None else ""
        super().__init__(
            f"{said} and does not answer.{mend} Starting another one ends it: what it has written stays, and its jobs"
            " begin again where they were.",
            yes="start another",
            no="wait",
        )
