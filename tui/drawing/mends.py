"""Advice on mending errors, in the words of the command line and in those of the explorer."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from core.errors import CornerstoneError, Mend

_FILE: Final = "STORE"
"""What stands for the file of an error, where it is not known."""

_TOKEN: Final = (
    "`ray get-auth-token --generate` makes ~/.ray/auth_token; `chmod 600` it, and copy it to every machine before "
    "`RAY_AUTH_MODE=token ray start`"
)

_COMMAND_LINE: Final[Mapping[Mend, str]] = MappingProxyType(
    {
        Mend.CHECK_INSTALL: "`cornerstone doctor` checks the install",
        Mend.CHECK_PACKAGE_INDEX: "is the package index reachable (`pip config list` names it)?",
        Mend.CHOOSE_EXPERTS: "add --expert-layers and the numbers of the layers",
        Mend.FREE_STORE: (
            "close what holds it (a notebook?) and run again; what writes to it waits longer with --wait SECONDS"
        ),
        Mend.GIVE_ADAPTER: "give both: --model MODEL --adapter FOLDER",
        Mend.GIVE_LOCAL_DATA: "give a local file: --task NAME=FILE.jsonl",
        Mend.GO_ONLINE: "run once without --offline",
        Mend.INSTALL_RAY: "`pip install 'cornerstone[ray]'` adds it",
        Mend.MAKE_RAY_TOKEN: _TOKEN,
        Mend.LIST_MODELS: "`cornerstone models` lists the aliases",
        Mend.LIST_TASKS: "`cornerstone tasks --all` lists them",
        Mend.LOG_IN_TO_HUB: "`hf auth login` does that",
        Mend.MAKE_RESULTS: "`cornerstone run` makes some (--store names another file)",
        Mend.NAME_TASK: "add one, such as --task agreement (`cornerstone tasks` lists them)",
        Mend.OTHER_STORE: "name another file with --store",
        Mend.REPLACE_EVALUATOR: "in the explorer, ctrl+e stops it and ctrl+r starts this version's",
        Mend.REPLACE_FILE: "add --force to replace it",
        Mend.SALVAGE_STORE: (
            f"`cornerstone store check {_FILE}` tells more, "
            f"`cornerstone store salvage {_FILE} -o NEW` saves what can be read"
        ),
        Mend.START_EVALUATOR: "`cornerstone` starts it again",
        Mend.TRUST_TASK_CODE: "read it, then add --trust-task-code",
        Mend.UPGRADE: "upgrade, or name another file with --store",
        Mend.WAIT_FOR_TURN: (
            "it holds the store for moments only, so run again; what writes to it waits longer with --wait SECONDS"
        ),
    }
)
_EXPLORER: Final[Mapping[Mend, str]] = MappingProxyType(
    {
        Mend.CHECK_INSTALL: "`cornerstone doctor` checks the install",
        Mend.CHECK_PACKAGE_INDEX: "is the package index reachable (`pip config list` names it)?",
        Mend.CHOOSE_EXPERTS: "m chooses layers whose experts are players",
        Mend.FREE_STORE: "close what holds it (a notebook?)",
        Mend.GIVE_ADAPTER: "start with both: `cornerstone explore --model MODEL --adapter FOLDER`",
        Mend.GIVE_LOCAL_DATA: "m opens a local file: NAME=FILE.jsonl",
        Mend.GO_ONLINE: "start once without --offline",
        Mend.INSTALL_RAY: "`pip install 'cornerstone[ray]'` adds it",
        Mend.MAKE_RAY_TOKEN: _TOKEN,
        Mend.LIST_MODELS: "m lists the aliases",
        Mend.LIST_TASKS: "`cornerstone tasks --all` lists them",
        Mend.LOG_IN_TO_HUB: "`hf auth login` does that",
        Mend.MAKE_RESULTS: "r on the explorer runs a schedule, which makes some",
        Mend.NAME_TASK: "tick one, or write its name",
        Mend.OTHER_STORE: "`cornerstone --store FILE` opens another",
        Mend.REPLACE_EVALUATOR: "ctrl+e stops it, ctrl+r starts this one's",
        Mend.REPLACE_FILE: "name another file",
        Mend.SALVAGE_STORE: (
            f"`cornerstone store check {_FILE}` tells more, "
            f"`cornerstone store salvage {_FILE} -o NEW` saves what can be read"
        ),
        Mend.START_EVALUATOR: "ctrl+r starts it again",
        Mend.TRUST_TASK_CODE: "read it, then `cornerstone explore --trust-task-code`",
        Mend.UPGRADE: "upgrade, or open another: `cornerstone --store FILE`",
        Mend.WAIT_FOR_TURN: "it holds the store for moments only: do this again",
    }
)


def command_line_text(error: CornerstoneError) -> str:
    """Return the sentence of an error, with the option or command that mends it."""
    return _joined(str(error), None if error.mend is None else _COMMAND_LINE[error.mend], error.file)


def explorer_text(error: CornerstoneError) -> str:
    """Return the sentence of an error, with the key or command that mends it."""
    return explorer_sentence(str(error), error.mend, error.file)


def explorer_sentence(said: str, mend: Mend | None, file: Path | None) -> str:
    """Return a sentence of the evaluator, with the key or command that mends the error in a file."""
    return _joined(said, None if mend is None else _EXPLORER[mend], file)


def _joined(said: str, mend: str | None, file: Path | None) -> str:
    if mend is None:
        return said
    return f"{said}; {mend if file is None else mend.replace(_FILE, shlex.quote(str(file)))}"
