"""The token that every machine of a Ray cluster shares. Without it anybody who reaches a port could run programs."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from core.errors import CornerstoneError, Mend

_LEAST: Final = 16
"""Fewer characters are no secret."""


def refuse_no_token() -> None:
    """Refuse to join a cluster without a token that only this user can read.

    Ray takes the token from RAY_AUTH_TOKEN, from the file that RAY_AUTH_TOKEN_PATH names, or from ~/.ray/auth_token.

    Raises:
        CornerstoneError: there is none, it is too short, or others can read its file.
    """
    if (given := os.environ.get("RAY_AUTH_TOKEN")) is not None:
        _refuse_short(given, "RAY_AUTH_TOKEN")
        return
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    file = Path(named) if named else Path.home() / ".ray" / "auth_token"
    try:
        status = file.stat()
        text = file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        raise CornerstoneError(
            f"a cluster is joined with a token alone, and there is none in {file}", Mend.MAKE_RAY_TOKEN
        ) from None
    except OSError as error:
        raise CornerstoneError(f"the token of the cluster cannot be read from {file}: {error.strerror}") from error
    if status.st_uid != os.getuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise CornerstoneError(f"others can read the token of the cluster; let {file} be yours alone (mode 0600)")
    _refuse_short(text, str(file))


def _refuse_short(token: str, where: str) -> None:
    if len(token.strip()) < _LEAST:
        raise CornerstoneError(f"the token in {where} is too short to be a secret", Mend.MAKE_RAY_TOKEN)
