"""`make bench`: explorer, large stores, toggles, the sweep and the estimates, how its cost grows, its memory."""

from __future__ import annotations

import subprocess

from tests.benchmarks import estimates, explorer, memory, scaling, stores, toggles
from tests.support.programs import PROGRAM


def main() -> None:
    explorer.main()
    stores.main()
    toggles.main()
    subprocess.run([*PROGRAM, "bench", "--task", "categories", "--limit", "16"], check=True)
    estimates.main()
    scaling.main()
    memory.main()


if __name__ == "__main__":
    main()
