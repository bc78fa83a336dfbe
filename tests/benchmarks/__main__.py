"""`make bench`: all benchmarks in turn, or those named: `python -m tests.benchmarks explorer`."""

from __future__ import annotations

import sys

from tests.benchmarks import explorer, sweep

BENCHMARKS = {"explorer": explorer.main, "sweep": sweep.main}


def main(names: list[str]) -> None:
    for name in names or BENCHMARKS:
        print(f"== {name}", flush=True)
        BENCHMARKS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
