"""Groups of tasks, as a run names them: kept with the run, so that its results can be read by group."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

KEY = "groups"
"""The key under which the configuration of a run has its groups."""


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """A group or tag, with the single tasks that were evaluated for it.

    Attributes:
        name: its name.
        members: the names of its tasks.
        weights: by metric that lm-eval gives for the group, whether members count by their documents, or all alike; ()
            for a tag, which has no score.
    """

    name: str
    members: tuple[str, ...]
    weights: tuple[tuple[str, bool], ...] = ()


def with_groups(config: Mapping[str, Any], groups: Sequence[TaskGroup]) -> str:
    """Return the configuration of a run with its groups, as JSON."""
    found = [{"name": one.name, "members": one.members, "weights": one.weights} for one in groups]
    return json.dumps({**config, KEY: found} if found else config)


def groups_in(config: str) -> tuple[TaskGroup, ...]:
    """Return the groups in the configuration of a run; those that cannot be read are left out."""
    if f'"{KEY}"' not in config:
        return ()
    try:
        content = json.loads(config)
    except ValueError:
        return ()
    given = content.get(KEY) if isinstance(content, dict) else None
    return tuple(group for one in given if (group := _group(one)) is not None) if isinstance(given, list) else ()


def _group(given: Any) -> TaskGroup | None:
    match given:
        case {"name": str(name), "members": [*members], "weights": [*weights]}:
            pairs = [(one[0], one[1]) for one in weights if isinstance(one, list) and len(one) == 2]
            if all(isinstance(one, str) for one in members) and all(isinstance(one, str) for one, _ in pairs):
                return TaskGroup(name, tuple(members), tuple((metric, bool(by_size)) for metric, by_size in pairs))
    return None
