"""`make bench`: how the explorer and its toggles feel, how the sweep and estimates do, how the sweep's cost grows."""

from __future__ import annotations

import subprocess
import sys

from tests.benchmarks import estimates, explorer, scaling, toggles

SWEEP = "from tui.cli import main; main()"


def main() -> None:
    explorer.main()
    toggles.main()
    subprocess.run([sys.executable, "-c", SWEEP, "bench", "--task", "categories", "--limit", "16"], check=True)
    estimates.main()
    scaling.main()


if __name__ == "__main__":
    main()
