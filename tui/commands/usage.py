"""Wrong use of the command line in one sentence: what is wrong, and which help shows what is right."""

from __future__ import annotations

import re
from typing import cast

import typer

# Older typers use the click library, newer ones a copy of it; the base of the name that both publish is in either.
UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])
"""What the parser raises: an unknown command, option or choice, too many or too few arguments."""


def usage_sentence(error: typer.BadParameter, program: str) -> str:
    """What ``error`` says, as one sentence that ends in a suggestion or in the help to ask for.

    Args:
        error: a ``UsageError``.
        program: the command's name, for errors that do not know where they happened.
    """
    said = " ".join(error.format_message().split()).removesuffix(".").replace("Value error, ", "")
    said = re.sub(r"^\w|[.] \w|[(]\w", lambda start: start[0].replace(".", ";").lower(), said)
    command = error.ctx.command_path if error.ctx else program
    return said if said.endswith("?") else f"{said}; see `{command} --help`"
