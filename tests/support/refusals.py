"""The sentence that the command line prints when a command refuses its input."""

from __future__ import annotations

from typer.testing import Result

from core.errors import CornerstoneError
from tui.drawing.mends import command_line_text


def refusal(done: Result) -> str:
    """Return the sentence that `main` would print for a command that was invoked without it."""
    assert isinstance(done.exception, CornerstoneError)
    return command_line_text(done.exception)
