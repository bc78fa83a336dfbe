"""`make bench`: the explorer and its toggles, the sweep on a shipped task, how its cost grows, and what it holds."""

from __future__ import annotations

import subprocess
import sys

from tests.benchmarks import explorer, memory, scaling, toggles

SWEEP = "from tui.cli import main; main()"


def main() -> None:
    explorer.main()
    toggles.main()
    subprocess.run([sys.executable, "-c", SWEEP, "bench", "--task", "categories", "--limit", "16"], check=True)
    scaling.main()
    memory.main()


if __name__ == "__main__":
    main()
