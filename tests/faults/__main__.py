"""`python -m tests.faults`: try every fault, print the table, and exit with 1 if anything fell.

Environment variables, as `make faults` sets them: PART, SEED, CASE (one case of a part), FRESH=1 (begin anew), JOBS
(how many cases run side by side), FAULTS_FOLDER (for journals and scratch files).
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import platformdirs

from tests.faults.runner import Asked, run
from tests.faults.setting import Setting


def main() -> int:
    """Try what the environment asks for; return the exit code."""
    given = {name: os.environ.get(name, "") for name in ("PART", "SEED", "CASE", "FRESH", "JOBS", "FAULTS_FOLDER")}
    default = Path(platformdirs.user_cache_dir("cornerstone", appauthor=False), "faults")
    folder = Path(given["FAULTS_FOLDER"] or default).resolve()
    asked = Asked(
        part=given["PART"] or None,
        case=given["CASE"] or None,
        fresh=given["FRESH"] not in ("", "0"),
        jobs=int(given["JOBS"] or 3),
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(Setting(folder, int(given["SEED"] or 0)), asked)
    except KeyboardInterrupt:
        print("stopped; the same command goes on from here")
        return 130


if __name__ == "__main__":
    sys.exit(main())
