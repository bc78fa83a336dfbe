"""The exceptions whose messages users read, and the ways to mend their causes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path


class Mend(StrEnum):
    """The ways to mend an error. Each front end names its own option, key or command for them."""

    CHECK_INSTALL = "check the installation"
    CHECK_PACKAGE_INDEX = "check that the package index is reachable"
    CHOOSE_EXPERTS = "choose the layers whose experts are players"
    FREE_STORE = "close the program that holds the store"
    GIVE_ADAPTER = "name the model, and the folder as its adapter"
    GO_ONLINE = "allow the download"
    INSTALL_RAY = "install Ray, which runs the workers"
    MAKE_RAY_TOKEN = "make a token that the cluster's machines share"
    GIVE_LOCAL_DATA = "give a local file in place of the data set"
    LIST_MODELS = "see which model aliases there are"
    LIST_TASKS = "see which tasks there are"
    LOG_IN_TO_HUB = "log in to the hub"
    MAKE_RESULTS = "run a schedule, which stores results"
    NAME_TASK = "name a task"
    OTHER_STORE = "name another store"
    REPLACE_EVALUATOR = "stop the evaluator that runs and start this version's"
    REPLACE_FILE = "allow the file to be replaced"
    SALVAGE_STORE = "check the store, and save what can be read of it"
    START_EVALUATOR = "start the evaluator again"
    TRUST_TASK_CODE = "let the user's tasks run the code that they name"
    UPGRADE = "upgrade this program, or name another store"
    WAIT_FOR_TURN = "do it again once the program that has its turn at the store is ready"


class CornerstoneError(Exception):
    """Something the user can mend. The message is one sentence that names the fault and the thing that has it.

    The command line prints it without a traceback and exits with 2.

    Attributes:
        mend: the way to mend the error, if it takes an option, a key or a command; None if the message says it.
        file: the file that the way to mend it is about, if it is about one.
    """

    def __init__(self, message: str, mend: Mend | None = None, file: Path | None = None) -> None:
        super().__init__(message)
        self.mend = mend
        self.file = file


class OutcomesWaitError(CornerstoneError):
    """Work was done, but some of its outcomes are not in the store yet. The command line exits with 1."""


class IncompleteError(CornerstoneError):
    """Work was done, but for a part that failed whenever it was tried. The command line exits with 1."""


class InUseError(CornerstoneError):
    """Something is in use by another program: the same call may work later."""
