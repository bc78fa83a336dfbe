"""`make bench`: how the explorer feels, then how the sweep does on a shipped task."""

from __future__ import annotations

import subprocess
import sys

from tests.benchmarks import explorer

SWEEP = "from tui.cli import main; main()"


def main() -> None:
    explorer.main()
    subprocess.run([sys.executable, "-c", SWEEP, "bench", "--task", "categories", "--limit", "16"], check=True)


if __name__ == "__main__":
    main()
