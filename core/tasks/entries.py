"""Entries of an index of tasks: single tasks, and groups and tags, which stand for several. Light to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.machine.plain_text import short_repr

EntryKind = Literal["task", "group", "tag"]

OUTPUT_TYPES = ("multiple_choice", "loglikelihood", "loglikelihood_rolling")
"""The kinds of tasks that are scored by log-probabilities."""

WRITES = "generate_until"
"""The kind of tasks for which the model writes a text. In lm-eval it is that of a task that names none."""

PYTHON = "python"
"""Stands for the output type of a task that is a class in Python; only the class knows it."""


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """A name and what it stands for.

    Attributes:
        name: the name.
        kind: a group or a tag stands for several tasks.
        definition: its YAML file; a tag, and a group within another one, has none.
        output_type: of a task; ``PYTHON`` if it is a class.
        members: of a group or a tag, all single tasks in it, each once.
        shots: the numbers of examples that a group sets, by task; others have their own.
        groups: of a group, the names of the groups in it.
        weights: of a group, whether lm-eval weighs its members by their documents or all alike, by metric.
        fault: why a task or a group cannot be evaluated as lm-eval would, as far as its definition tells; None if it
            can.
    """

    name: str
    kind: EntryKind
    definition: Path | None = None
    output_type: str = ""
    members: tuple[str, ...] = ()
    shots: tuple[tuple[str, int], ...] = ()
    groups: tuple[str, ...] = ()
    weights: tuple[tuple[str, bool], ...] = ()
    fault: str | None = None

    @property
    def refusal(self) -> str | None:
        """Say why this task cannot be evaluated, or None if it can as far as its definition tells."""
        if self.output_type == PYTHON:
            return "it is a class in Python, and only tasks in YAML are read"
        return self.fault

    def details(self) -> Any:
        """Return what ``with_details`` reads, as JSON holds it."""
        if self.kind == "task":
            return [self.output_type, self.fault]
        pairs = [[list(pair) for pair in pairs] for pairs in (self.shots, self.weights)]
        return [list(self.members), list(self.groups), *pairs, self.fault]


def is_evaluated(output_type: str) -> bool:
    """Return whether tasks of this output type can be evaluated."""
    return output_type in (*OUTPUT_TYPES, WRITES)


def none_of_the_kinds(output_type: str) -> str:
    """Say why a task of an output type that is not evaluated is refused."""
    return f"its output_type {short_repr(output_type)} is none of {', '.join((*OUTPUT_TYPES, WRITES))}"


def with_details(name: str, kind: EntryKind, definition: Path | None, details: Any) -> IndexEntry:
    """Return an entry from what ``IndexEntry.details`` returned.

    Raises:
        ValueError: the details are malformed.
    """
    match details:
        case [str(output_type), str() | None as fault] if kind == "task":
            return IndexEntry(name, kind, definition, output_type, fault=fault)
        case [list(members), list(groups), list(shots), list(weights), str() | None as fault] if kind != "task":
            if not all(isinstance(one, str) for one in (*members, *groups)):
                raise ValueError(f"the members of {name!r} are malformed")
            found = tuple(members), tuple(map(_shots, shots)), tuple(groups), tuple(map(_weight, weights))
            return IndexEntry(name, kind, definition, "", *found, fault)
    raise ValueError(f"the details of {name!r} are malformed")


def _shots(given: Any) -> tuple[str, int]:
    match given:
        case [str(name), int(shots)] if not isinstance(shots, bool):
            return name, shots
    raise ValueError(f"{given!r} is no number of examples")


def _weight(given: Any) -> tuple[str, bool]:
    match given:
        case [str(metric), bool(by_size)]:
            return metric, by_size
    raise ValueError(f"{given!r} is no weight")


def output_type_of(definition: Mapping[str, Any]) -> str:
    """Return the output type of a task's definition."""
    return PYTHON if "class" in definition else str(definition.get("output_type") or WRITES)
