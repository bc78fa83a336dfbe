"""End the program: an error that a user can mend becomes one sentence on stderr, and exit code 2.

Where work was done but its outcomes wait, or a part of it failed again and again, the code is 1.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

import typer

from core.errors import CornerstoneError, IncompleteError, OutcomesWaitError
from core.machine.plain_text import is_utf8, short_repr, shortened
from tui.commands.signals import cause_of, exit_code
from tui.commands.usage import UsageError, usage_sentence
from tui.drawing.mends import command_line_text
from tui.drawing.plain import plain
from tui.interrupt import BY, INTERRUPTED
from tui.streams import tell


def refuse_odd_arguments(arguments: Sequence[str]) -> None:
    """Refuse arguments that no program can print or pass on.

    Raises:
        CornerstoneError: one is not UTF-8, such as a file's name in another encoding.
    """
    for argument in arguments:
        if not is_utf8(argument):
            raise CornerstoneError(f"the argument {short_repr(argument)} is not UTF-8; rename the file that it names")


@contextmanager
def for_people() -> Iterator[None]:
    """Turn errors for people into a sentence, unless ``--debug`` asks for the traceback."""
    try:
        yield
    except CornerstoneError as error:
        if "--debug" in sys.argv:
            raise
        _fail(command_line_text(error), 1 if isinstance(error, OutcomesWaitError | IncompleteError) else 2)
    except UsageError as error:
        _fail(usage_sentence(error, "cornerstone"), 2)
    except KeyboardInterrupt as stop:
        _fail(f"stopped by {cause_of(stop)}", exit_code(stop))
    except typer.Abort:
        _fail(f"stopped by {BY[signal.SIGINT]}", INTERRUPTED)


def _fail(sentence: str, code: int) -> NoReturn:
    tell(f"cornerstone: {shortened(plain(sentence))}")
    sys.exit(code)
