"""`make bench`: explorer and toggles, the sweep and the estimates, how the sweep's cost grows, what it holds."""

from __future__ import annotations

import subprocess
import sys

from tests.benchmarks import estimates, explorer, memory, scaling, toggles

SWEEP = "from tui.cli import main; main()"


def main() -> None:
    explorer.main()
    toggles.main()
    subprocess.run([sys.executable, "-c", SWEEP, "bench", "--task", "categories", "--limit", "16"], check=True)
    estimates.main()
    scaling.main()
    memory.main()


if __name__ == "__main__":
    main()
