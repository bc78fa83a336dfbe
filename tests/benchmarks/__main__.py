"""`make bench`: how the explorer feels, how the sweep does on a shipped task, and how its cost grows."""

from __future__ import annotations

import subprocess
import sys

from tests.benchmarks import explorer, scaling

SWEEP = "from tui.cli import main; main()"


def main() -> None:
    explorer.main()
    subprocess.run([sys.executable, "-c", SWEEP, "bench", "--task", "categories", "--limit", "16"], check=True)
    scaling.main()


if __name__ == "__main__":
    main()
