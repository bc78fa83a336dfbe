"""Say in one sentence what is wrong with a command line, and which help shows what is right."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import cast

import pydantic
import typer

from core.config.faults import verdict

# Older typers use the click library and newer ones a copy of it. This class is published by both.
UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])
"""An error of the parser: an unknown command, option or choice, or too many or too few arguments."""


def usage_sentence(error: typer.BadParameter, program: str) -> str:
    """Return an error as one sentence that ends with a suggestion, or with the help to ask for.

    Args:
        error: a ``UsageError``.
        program: the name of the command, for errors that do not name theirs.
    """
    said = " ".join(_message(error).split()).removesuffix(".").replace("Value error, ", "")
    said = re.sub(r"^\w|[.] \w|[(]\w", lambda start: start[0].replace(".", ";").lower(), said)
    command = error.ctx.command_path if error.ctx else program
    return said if said.endswith("?") else f"{said}; see `{command} --help`"


def _message(error: typer.BadParameter) -> str:
    """Return what is wrong, in the words in which the same value in a file is refused."""
    cause = error.__cause__
    if not isinstance(cause, pydantic.ValidationError):
        return str(error.format_message())
    fault = cause.errors()[0]
    name = "a value" if error.param is None else error.param.opts[0]
    return f"{name} {verdict({**fault, 'input': _read(fault['input'])})}"


def _read(given: object) -> object:
    """Return the number that the text of an option writes, else the text."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(str(given))
    return given
