"""The one exception that people are meant to read, and what would help them."""

from __future__ import annotations

from enum import StrEnum


class Mend(StrEnum):
    """What would mend an error. Which option, key or command does it, each front end says in its own words."""

    CHECK_INSTALL = "check the installation"
    CHECK_PACKAGE_INDEX = "check that the package index is reachable"
    FREE_STORE = "close the program that holds the store"
    GO_ONLINE = "allow the download"
    GIVE_LOCAL_DATA = "give a local file in place of the data set"
    LIST_MODELS = "see which model aliases there are"
    LIST_TASKS = "see which tasks there are"
    LOG_IN_TO_HUB = "log in to the hub"
    MAKE_RESULTS = "run a schedule, which stores results"
    NAME_TASK = "name a task"
    OTHER_STORE = "name another store"
    REPLACE_EVALUATOR = "stop the evaluator that runs and start this version's"
    REPLACE_FILE = "allow the file to be replaced"
    START_EVALUATOR = "start the evaluator again"
    UPGRADE = "upgrade this program, or name another store"


class CornerstoneError(Exception):
    """Something the user can mend. The message is one sentence: what happened, to which thing.

    The command line prints it without a traceback and exits with 2.

    Attributes:
        mend: what would help, where that takes an option, a key or a command; None where the message says it in words.
    """

    def __init__(self, message: str, mend: Mend | None = None) -> None:
        super().__init__(message)
        self.mend = mend


class InUseError(CornerstoneError):
    """Something is in use by another program: the same call may work later."""
