"""Ask a query of a store, and wait for its result, or end it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import CornerstoneError, Mend
from core.machine.whole_number import whole
from store.file.patience import PATIENCE_S, OnWait
from store.sql.limits import MOST_BYTES, MOST_MEMORY_MB, MOST_ROWS, SECONDS
from store.sql.row_type import row_type, rows_of

# -P: a folder named store in the working directory is not ours.
_PROGRAM: Final = (sys.executable, "-P", "-m", "store.sql.worker")


class QueryError(CornerstoneError):
    """A query that is not run, or that failed. ``where`` are lines that show the place in its text."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message)
        self.where = where


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of a result, and their dataclass.

    ``note`` says that there are more rows than these. ``seconds`` is how long the query took once the store was open.
    """

    rows: tuple[Any, ...]
    row: type
    note: str = ""
    seconds: float = 0.0


class Query:
    """One query. ``result`` may wait in a thread, and ``stop`` then ends it from another.

    Args:
        store: the file of the store.
        text: the query.
        patience: seconds to wait while another program holds the file.
        seconds: how long the query may take.
    """

    def __init__(self, store: Path, text: str, patience: float = PATIENCE_S, seconds: float = SECONDS) -> None:
        self._asked = {"store": str(store), "query": text, "patience": patience, "seconds": seconds}
        self._seconds = seconds
        self._process: subprocess.Popen[str] | None = None
        self._stopped = False

    def result(self, on_wait: OnWait | None = None) -> Found:
        """Run the query and return its rows.

        Args:
            on_wait: hears once who holds the store, if that takes longer than 2 seconds.

        Raises:
            QueryError: it is not run, it fails, or it takes more time or memory than it may.
            CornerstoneError: there is no store, or it is damaged, cannot be read, or stays in use.
        """
        with subprocess.Popen(
            _PROGRAM,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        ) as process:
            self._process = process
            if self._stopped:
                process.kill()
            try:
                answer = self._answer(process, on_wait)
            except BaseException:
                process.kill()
                raise
        if answer is None:
            raise QueryError("the query was stopped" if self._stopped else self._end_of(process.returncode))
        return _found(answer)

    def stop(self) -> None:
        """End the query; ``result`` then raises QueryError."""
        self._stopped = True
        if self._process is not None:
            self._process.kill()

    def _answer(self, process: subprocess.Popen[str], on_wait: OnWait | None) -> Mapping[str, Any] | None:
        """Return the last message of the process; None if it ended before that."""
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(self._asked) + "\n")
            process.stdin.close()
        except BrokenPipeError:
            return None
        for line in process.stdout:
            message: Mapping[str, Any] = json.loads(line)
            if "waits" not in message:
                return message
            if on_wait is not None:
                on_wait(message["waits"])
        return None

    def _end_of(self, code: int) -> str:
        """Say why the process has ended without a result."""
        if code == -signal.SIGALRM:
            most = f"{self._seconds:.0f} s"
            return f"the query takes longer than {most}, and was ended; nobody can write to the store meanwhile"
        if code < 0:
            return f"the query was ended by signal {-code}, perhaps as it takes more than {MOST_MEMORY_MB} MB of memory"
        return "the process that runs the query has failed, perhaps for want of memory"


def _found(answer: Mapping[str, Any]) -> Found:
    if "refused" in answer:
        raise QueryError(answer["refused"], answer["where"])
    if "failed" in answer:
        mend, file = answer["mend"], answer["file"]
        raise CornerstoneError(answer["failed"], mend and Mend(mend), file and Path(file))
    columns = [(name, kind) for name, kind in answer["columns"]]
    made = row_type(columns)
    most = {"rows": f"{whole(MOST_ROWS)} rows", "bytes": f"{MOST_BYTES // 10**6} MB"}.get(answer["more"])
    rows = rows_of(made, columns, answer["rows"])
    note = f"the result has more rows than these: at most {most} are kept; add a LIMIT or a WHERE" if most else ""
    return Found(rows, made, note, answer["seconds"])
