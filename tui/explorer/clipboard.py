"""Copy text to the clipboard of the person's own machine, through the terminal; inside tmux through tmux."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from typing import Any, Final

from textual.app import App

from tui.drawing.numbers import whole

_MOST: Final = 74_000
"""How many bytes most terminals take."""

_PATIENCE_S: Final = 2.0


def copy(app: App[Any], text: str, what: str) -> None:
    """Send a text to the terminal, and say so. Whether the terminal keeps it cannot be known.

    Args:
        app: the app whose terminal it is.
        text: the text, without control characters other than line ends and tabs.
        what: the name of what is copied, for the message.
    """
    size = len(text.encode("utf-8", "replace"))
    if not text.strip():
        app.notify(f"nothing to copy: the {what} is empty", markup=False)
    elif size > _MOST:
        app.notify(f"the {what} has {whole(size)} bytes, more than terminals take; e writes it to a file", markup=False)
    elif not in_tmux(os.environ):
        app.copy_to_clipboard(text)
        app.notify(f"{what} sent to the terminal", markup=False)
    else:
        app.run_worker(lambda: _through_tmux(app, text, what), thread=True, group="copy")


def in_tmux(environment: Mapping[str, str]) -> bool:
    """Return whether the terminal is one of tmux, which may swallow what is sent to the terminal behind it."""
    return bool(environment.get("TMUX"))


def _through_tmux(app: App[Any], text: str, what: str) -> None:
    """Let tmux keep the text, and pass it on (-w) to the terminal that it is attached to."""
    try:
        subprocess.run(
            ["tmux", "load-buffer", "-w", "-"],
            input=text.encode("utf-8", "replace"),
            check=True,
            capture_output=True,
            timeout=_PATIENCE_S,
        )
    except (OSError, subprocess.SubprocessError):
        app.call_from_thread(app.copy_to_clipboard, text)
        said = f"{what} sent to the terminal; tmux did not take it"
    else:
        said = f"{what} sent to tmux, and to the terminal behind it"
    app.call_from_thread(app.notify, said, markup=False)
