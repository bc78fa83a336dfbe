"""The journal of a part: one line of JSON for each case that was tried, so that a run that was stopped goes on."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.faults.verdict import Verdict


class Journal:
    """Verdicts of one part and seed, by the case's name, kept in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self.verdicts: dict[str, Verdict] = {}
        self.seconds = 0.0
        if path.exists():
            self._read(path.read_text(encoding="utf-8"))

    def add(self, case: str, verdict: Verdict, seconds: float) -> None:
        """Keep a verdict. ``seconds`` is how long the case took."""
        line = json.dumps({"case": case, "seconds": round(seconds, 3), **asdict(verdict)})
        with self._lock:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
            self.verdicts[case] = verdict
            self.seconds += seconds

    def _read(self, text: str) -> None:
        """Read the whole lines of a journal; a torn last line, as a kill leaves it, is a case that was not tried."""
        for line in text.splitlines():
            try:
                entry: dict[str, Any] = json.loads(line)
            except ValueError:
                continue
            case, seconds = entry.pop("case"), entry.pop("seconds")
            entry |= {key: tuple(entry[key]) for key in ("wrong", "missing")}
            self.verdicts[case] = Verdict(**entry)
            self.seconds += seconds
        if text and not text.endswith("\n"):
            self._path.write_text("".join(line + "\n" for line in text.splitlines()[:-1]), encoding="utf-8")
