"""A process whose new thread gets no memory ends in a sentence; others go on."""

from __future__ import annotations

import subprocess
import sys

import pytest

from core.machine.stuck_start import MESSAGE

WATCHED = """
import resource, threading, time
from core.machine.stuck_start import watch_thread_starts
if {limited}:
    resource.setrlimit(resource.RLIMIT_AS, (2**40, 2**40))
watch_thread_starts(patience=2)
"""
# As the start of a thread that got no memory: it ends before it says that it runs.
STUCK = """
class Starved(threading.Thread):
    def _bootstrap(self):
        pass
Starved(daemon=True).start()
"""
SLOW = """
slow = threading.Thread(target=time.sleep, args=(4,))
slow.start()
slow.join()
print("done")
"""


def run(limited: bool, then: str, patience: float) -> subprocess.CompletedProcess[str]:
    program = WATCHED.format(limited=limited) + then
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=patience, check=False
    )


def test_a_thread_that_does_not_start_ends_the_process_in_a_sentence() -> None:
    done = run(limited=True, then=STUCK, patience=240)
    assert (done.returncode, done.stderr) == (1, MESSAGE)


def test_a_thread_that_runs_long_is_left_alone() -> None:
    done = run(limited=True, then=SLOW, patience=240)
    assert (done.returncode, done.stdout) == (0, "done\n")


@pytest.mark.slow
def test_without_a_limit_nothing_is_watched() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        run(limited=False, then=STUCK, patience=10)
