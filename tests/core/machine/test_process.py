"""Whether a process still runs: by number, start, machine and container."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from core.machine import process
from core.machine.process import command_of, here, is_elsewhere, lock_holders, presence

_DESCRIBE = """
import json, sys
from core.machine.process import here
print(json.dumps(here()), flush=True)
sys.stdin.read()
"""


def _other() -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", _DESCRIBE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _described(other: subprocess.Popen[str]) -> dict[str, str]:
    assert other.stdout is not None
    return dict(json.loads(other.stdout.readline()))


def test_this_process_lives_and_is_not_elsewhere() -> None:
    assert presence(here()) == "alive"
    assert not is_elsewhere(here(), 0)


def test_another_process_is_elsewhere_until_it_ends() -> None:
    with _other() as other:
        described = _described(other)
        assert presence(described) == "alive"
        assert is_elsewhere(described, 1e9)
        other.kill()
        while psutil.Process(other.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        assert presence(described) == "gone"  # although its parent, this process, has not yet asked how it ended
    assert presence(described) == "gone"
    assert not is_elsewhere(described, 0)


def test_a_number_that_is_used_again_is_another_process() -> None:
    assert presence({**here(), "ticks": "1"}) == "gone"
    # As versions before described a process.
    earlier = {name: here()[name] for name in ("host", "pid", "began")}
    assert presence(earlier) == "alive"
    assert presence({**earlier, "began": "0"}) == "gone"


def test_a_clock_that_was_set_does_not_end_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    described = here()
    monkeypatch.setattr(psutil.Process, "create_time", lambda _self: float(described["began"]) + 7200)
    assert presence(described) == "alive"


def test_a_process_of_before_the_machine_started_again_is_gone() -> None:
    assert presence({**here(), "boot": "another start"}) == "gone"


@pytest.mark.parametrize(
    "changed",
    [{"host": "another"}, {"machine": "another"}, {"space": "pid:[1]"}, {"host": "another", "boot": "another"}],
)
def test_another_machine_or_container_is_not_known(changed: Mapping[str, str]) -> None:
    described = {**here(), **changed}
    assert presence(described) == "unknown"
    assert is_elsewhere(described, 60)
    assert not is_elsewhere(described, 2 * 24 * 3600)


@pytest.mark.parametrize(
    "described", [{}, {"host": "x"}, {"pid": "1"}, {"pid": "no number"}, {"pid": "-1"}, {"pid": "9" * 30}]
)
def test_an_odd_description_is_no_error(described: Mapping[str, str]) -> None:
    assert presence(described) == "unknown"
    assert presence({"host": process.platform.node(), **described}) in {"unknown", "gone"}


def test_the_holder_of_a_lock_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert lock_holders(file) == ()
    with file.open("r+") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)
        (holder,) = lock_holders(file)
    assert lock_holders(tmp_path / "nothing") == ()
    command = command_of(holder)
    assert command is not None
    assert "python" in command
