"""A store that can be none: every command refuses it in one sentence, at once, and changes nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.programs import MAIN, REPOSITORY

COMMANDS = (
    ("run", "--task", "agreement"),
    ("path", "--task", "agreement"),
    ("proxies", "--task", "agreement"),
    ("explore",),
    (),
    ("results", "runs"),
    ("results", "cornerstones"),
    ("paper",),
    ("figure", "ablation", "-o", "chart.svg"),
)


def _place(kind: str, folder: Path) -> bytes:
    place = folder / "s.duckdb"
    match kind:
        case "pipe":
            os.mkfifo(place)
        case "socket":
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(str(place))
        case "folder":
            place.mkdir()
        case "device":
            return b"/dev/zero"
        case "File name too long":
            return os.fsencode(folder / ("n" * 256))
        case "symbolic links":
            place.symlink_to(place)
        case "UTF-8":
            return os.fsencode(folder) + b"/caf\xe9.duckdb"
    return os.fsencode(place)


@pytest.mark.parametrize(
    ("kind", "commands"),
    [
        ("pipe", COMMANDS),
        *[
            pytest.param(kind, COMMANDS[:1] + COMMANDS[5:6], marks=pytest.mark.slow)
            for kind in ("socket", "folder", "device", "File name too long")
        ],
        ("UTF-8", COMMANDS[:1] + COMMANDS[4:6]),
        pytest.param("symbolic links", COMMANDS[:1] + COMMANDS[4:6], marks=pytest.mark.slow),
    ],
)
def test_a_place_that_can_be_no_store_is_refused_by_every_command(
    kind: str, commands: Sequence[tuple[str, ...]], tmp_path: Path
) -> None:
    store = _place(kind, tmp_path)
    before = sorted(os.listdir(tmp_path))
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "XDG_CACHE_HOME": str(tmp_path.parent)}
    environment["MPLCONFIGDIR"] = str(tmp_path.parent)
    for command in commands:
        done = subprocess.run(
            [sys.executable, *MAIN, *command, b"--store", store],
            capture_output=True,
            check=False,
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            timeout=240,
        )
        said = done.stderr.decode()
        assert done.returncode == 2, (command, said)
        (sentence,) = said.splitlines()
        assert sentence.startswith("cornerstone: "), (command, said)
        assert kind in sentence, (command, said)
    assert sorted(os.listdir(tmp_path)) == before
