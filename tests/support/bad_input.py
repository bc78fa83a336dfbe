"""A bad input: a command line that must be refused in one sentence, with exit code 2 and nothing changed.

A generator of bad inputs is a module of ``tests.support`` with a function ``bad_inputs(seed, folder)``, which writes
files into ``folder`` and yields one ``BadInput`` for each.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class BadInput:
    """A command line with something wrong in it.

    Attributes:
        name: says what is wrong, in a few words.
        kind: the kind of input that is wrong, such as ``yaml``, ``options`` or ``model folder``.
        argv: the arguments of ``cornerstone``.
        environment: environment variables that differ from those of the test.
    """

    name: str
    kind: str
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


class BadInputs(Protocol):
    """Write bad inputs into a folder, and yield them. The same seed gives the same inputs."""

    def __call__(self, seed: int, folder: Path) -> Iterator[BadInput]: ...
