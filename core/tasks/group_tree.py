"""Find the single tasks of groups and tags, by the rules of lm-eval, from definitions that are read as plain data.

A group of lm-eval may hold tasks, tags, other groups, and groups that are defined within it. It may change settings of
its members. Light to import.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.tasks.definition_faults import task_entry
from core.tasks.entries import IndexEntry

_OF_A_GROUP = frozenset({"group", "group_alias", "task", "aggregate_metric_list", "metadata", "tag", "include"})
_HARMLESS = frozenset({"task", "task_alias", "num_fewshot", "tag", "metadata"})
_FILTER = "none"
"""The name of lm-eval's filter of tasks that are scored by log-probabilities."""


@dataclass(slots=True)
class _Found:
    """What a walk through a group has found so far. ``shots`` are the examples that the group sets, by task."""

    shots: dict[str, int | None] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)
    fault: str | None = None

    def refuse(self, why: str) -> None:
        self.fault = self.fault or why


class GroupTree:
    """Definitions by name, as their files give them with all includes, and entries that are known already."""

    def __init__(self, definitions: Mapping[str, Mapping[str, Any]], known: Mapping[str, IndexEntry]) -> None:
        self._definitions = definitions
        self._known = known
        self._tags: dict[str, list[str]] = {}
        for name, definition in definitions.items():
            for tag in _listed(definition.get("tag")) if "group" not in definition or "class" in definition else ():
                self._tags.setdefault(tag, []).append(name)

    def entries(self) -> Iterator[IndexEntry]:
        """Yield an entry for each definition, for each group within a group, and for each tag."""
        for name, definition in self._definitions.items():
            if is_group(definition):
                yield from self._groups(name, definition)
            else:
                yield task_entry(name, definition)
        for tag, names in self._tags.items():
            if tag not in self._definitions:
                yield IndexEntry(tag, "tag", members=tuple(sorted(names)))

    def _groups(self, name: str, definition: Mapping[str, Any]) -> Iterator[IndexEntry]:
        """Yield the entry of a group, after those of the groups that are defined within it."""
        for part in _listed(definition.get("task")):
            if isinstance(part, Mapping) and "group" in part and not self._knows(part["group"]):
                yield from self._groups(f"{name}::{part['group']}", part)
        found = _Found()
        self._walk(name, definition, {}, found)
        if not found.shots:
            found.refuse("it names no tasks")
        yield IndexEntry(
            name,
            "group",
            members=tuple(found.shots),
            shots=tuple((task, shots) for task, shots in found.shots.items() if shots is not None),
            groups=tuple(dict.fromkeys(found.groups)),
            weights=tuple(weights_of(definition)),
            fault=found.fault,
        )

    def _knows(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._definitions or name in self._known or name in self._tags)

    def _walk(self, name: str, definition: Mapping[str, Any], changes: Mapping[str, Any], found: _Found) -> None:
        own = {key: value for key, value in definition.items() if key not in _OF_A_GROUP}
        for part in _listed(definition.get("task")):
            self._part(name, part, {**own, **changes}, found)

    def _part(self, group: str, part: object, changes: Mapping[str, Any], found: _Found) -> None:
        own: Mapping[str, Any] = part if isinstance(part, Mapping) else {}
        inner, task = own.get("group"), own.get("task")
        if isinstance(part, str):
            self._named(group, part, changes, found)
        elif isinstance(inner, str) and self._knows(inner):
            self._named(group, inner, {**changes, **own}, found)
        elif isinstance(inner, str):
            found.groups.append(f"{group}::{inner}")
            self._walk(f"{group}::{inner}", own, changes, found)
        elif isinstance(task, str):
            self._named(group, task, {**changes, **own}, found)
        else:
            found.refuse("one of its entries names neither a task nor a group")

    def _named(self, group: str, name: str, changes: Mapping[str, Any], found: _Found) -> None:
        """Add what a name stands for."""
        changes = {key: value for key, value in changes.items() if key not in {"task", "group"}}
        definition = self._definitions.get(name)
        if definition is not None and is_group(definition):
            if name in found.groups or name == group:
                found.refuse(f"it holds {name} twice")
                return
            found.groups.append(name)
            self._walk(name, definition, changes, found)
        elif definition is not None:
            self._add(name, definition, changes, found)
        elif name in self._tags:
            for one in sorted(self._tags[name]):
                self._add(one, self._definitions[one], changes, found)
        elif name in self._known:
            self._add_known(self._known[name], changes, found)
        else:
            found.refuse(f"it defines {name}, or names it without there being such a task")

    def _add_known(self, entry: IndexEntry, changes: Mapping[str, Any], found: _Found) -> None:
        """Add a task, a tag or a group whose definition is not read here."""
        if entry.kind == "group":
            found.groups += [entry.name, *entry.groups]
        if entry.fault is not None:
            found.refuse(f"{entry.name} {entry.fault}")
        own = dict(entry.shots)
        for member in entry.members if entry.kind != "task" else (entry.name,):
            shots = {"num_fewshot": own[member]} if member in own else {}
            self._add(member, {}, {**shots, **changes}, found)

    def _add(self, name: str, definition: Mapping[str, Any], changes: Mapping[str, Any], found: _Found) -> None:
        """Add a single task. Examples from the training split are what lm-eval takes anyway, where there is one."""
        for key, value in changes.items():
            harmless = key in _HARMLESS or (key == "fewshot_split" and value == definition.get("training_split"))
            if not harmless and definition.get(key) != value:
                found.refuse(f"it changes {key} of its members")
        shots = changes.get("num_fewshot")
        if shots is not None and (not isinstance(shots, int) or isinstance(shots, bool) or shots < 0):
            found.refuse(f"num_fewshot of {name} is no whole number")
            shots = None
        if name in found.shots and found.shots[name] != shots:
            found.refuse(f"it holds {name} twice")
        found.shots[name] = shots


def is_group(definition: Mapping[str, Any]) -> bool:
    """Return whether a definition is that of a group; a task in Python may also name a group."""
    return "group" in definition and "class" not in definition


def weights_of(definition: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield for each metric of a group whether lm-eval weighs the members by their documents, or all alike."""
    given = definition.get("aggregate_metric_list") or ()
    for one in [given] if isinstance(given, Mapping) else given:
        filters = one.get("filter_list") if isinstance(one, Mapping) else None
        if isinstance(one, Mapping) and isinstance(one.get("metric"), str) and _FILTER in _listed(filters or _FILTER):
            yield one["metric"], bool(one.get("weight_by_size", True))


def _listed(value: Any) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list | tuple) else (value,)
