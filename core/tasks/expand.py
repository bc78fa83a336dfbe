"""Find the single tasks that a run names: by themselves, by a group or tag, or by their files. Light to import."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Final

from core.config.run_config import RunConfig, absolute
from core.config.task_config import TaskConfig, is_path
from core.errors import CornerstoneError, Mend
from core.machine.paths import at_home
from core.machine.plain_text import short_repr
from core.machine.regular_file import kind_at
from core.records.task_group import TaskGroup, with_groups
from core.tasks.entries import OUTPUT_TYPES, IndexEntry
from core.tasks.index import kept_tasks, lm_eval_folder, lm_eval_tasks, shipped_tasks
from core.tasks.own_tasks import OwnTask, own_entries, read_own, refuse_code

Narrate = Callable[[str], None]
_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Source:
    """Where a single task is defined.

    ``data`` is the data file that ships with it. ``own`` is a task of the user.
    """

    definition: Path
    data: Path | None = None
    own: OwnTask | None = None


@dataclass(frozen=True, slots=True)
class Expanded:
    """The single tasks of a run.

    Attributes:
        config: the run, with single tasks by name, and all files and folders that define tasks in its include_path.
        groups: the groups and tags that the run names, and the groups within them.
        named_by: for each task of ``config``, the group, tag or folder by which it was named; None for itself.
        sources: where each task is defined, by name; a name that is not known is not in it.
        notes: sentences on what the run evaluates for its groups.
    """

    config: RunConfig
    groups: tuple[TaskGroup, ...] = ()
    named_by: tuple[str | None, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def expand(config: RunConfig, narrate: Narrate | None = None, *, kept: bool = False) -> Expanded:
    """Return the single tasks that a run names.

    Args:
        config: the run.
        narrate: hears of slow work.
        kept: use what is known of lm-eval's tasks, without reading them; names that are not known then pass.

    Raises:
        CornerstoneError: there is no such task or file, a group or task cannot be evaluated, local data do not fit, or
            a task of the user names code and the run does not trust it.
    """
    paths = tuple(Path(at_home(task.name)) for task in config.tasks if is_path(task.name))
    include = tuple(dict.fromkeys((*config.include_path, *paths)))
    names = _Names(include, narrate, kept)
    named: dict[TaskConfig, str | None] = {}
    groups: dict[str, TaskGroup] = {}
    notes = []
    for task in config.tasks:
        for asked in _by_path(task, names):
            entry = names.entry(asked.name)
            if entry is None or entry.kind == "task":
                if entry is not None and entry.refusal is not None:
                    raise _refused(asked.name, entry, names)
                named.setdefault(asked, task.name if _is_folder(task) else None)
                continue
            members, note = _members(asked, entry, names, config)
            notes.append(note)
            named = {**dict.fromkeys(members, entry.name), **named}
            groups |= {group.name: group for group in _groups(entry, names, {one.name for one in members})}
    for one in named:
        if (own := names.own.get(one.name)) is not None and not config.trust_task_code:
            refuse_code(one.name, own, [lm_eval_folder()])
    single = config.model_copy(update={"tasks": tuple(named), "include_path": include})
    sources = {one.name: source for one in named if (source := names.source(one.name)) is not None}
    return Expanded(single, tuple(groups.values()), tuple(named.values()), sources, tuple(notes))


def source_of(name: str) -> Source:
    """Return where one of our tasks or lm-eval's is defined.

    Raises:
        CornerstoneError: there is no such task.
    """
    return expand(RunConfig(tasks=(TaskConfig(name=name),))).sources[name]


def recorded(config: RunConfig) -> str:
    """Return the configuration that is kept with a run, as JSON: its single tasks, its groups, absolute paths.

    Who evaluated it is left out, because that changes no outcome.
    """
    found = expand(config.model_copy(update={"workers": None, "ray": None}))
    return with_groups(absolute(found.config).model_dump(mode="json"), found.groups)


@dataclass
class _Names:
    """All names of tasks. lm-eval's are looked up where no other name fits."""

    include: tuple[Path, ...]
    narrate: Narrate | None
    kept: bool

    @cached_property
    def own(self) -> dict[str, OwnTask]:
        return read_own(self.include)

    @cached_property
    def _shipped(self) -> dict[str, IndexEntry]:
        return {one.name: IndexEntry(one.name, "task", one.definition, OUTPUT_TYPES[0]) for one in shipped_tasks()}

    @cached_property
    def _lm_eval(self) -> dict[str, IndexEntry]:
        found = kept_tasks() if self.kept else lm_eval_tasks(self.narrate)
        return {entry.name: entry for entry in found or ()}

    @property
    def _lm_eval_known(self) -> bool:
        return not self.kept or bool(self._lm_eval)

    @cached_property
    def _own(self) -> dict[str, IndexEntry]:
        groups = any("group" in task.definition for task in self.own.values())
        return own_entries(self.own, {**self._lm_eval, **self._shipped} if groups else {})

    def entry(self, name: str) -> IndexEntry | None:
        """Return what a name stands for; None if it is not known, and lm-eval's names are not either.

        Raises:
            CornerstoneError: there is no such name.
        """
        found = self._own.get(name) or self._shipped.get(name) or self._lm_eval.get(name)
        if not self._lm_eval_known and (found is None or found.kind != "task"):
            return None
        if found is not None:
            return found
        close = get_close_matches(name, [*self._own, *self._shipped, *self._lm_eval], n=1, cutoff=0.6)
        if close:
            raise CornerstoneError(f"no task {name!r}; did you mean {close[0]}?")
        raise CornerstoneError(f"no task {name!r}", Mend.LIST_TASKS)

    def source(self, name: str) -> Source | None:
        """Return where a single task is defined."""
        entry = self.entry(name)
        if entry is None or entry.definition is None:
            return None
        if name in self.own:
            return Source(entry.definition, own=self.own[name])
        return Source(entry.definition, self._data.get(name))

    @cached_property
    def _data(self) -> dict[str, Path]:
        return {one.name: one.data for one in shipped_tasks()}


def _is_folder(task: TaskConfig) -> bool:
    return is_path(task.name) and kind_at(Path(at_home(task.name))) == "folder"


def _by_path(task: TaskConfig, names: _Names) -> Iterator[TaskConfig]:
    """Yield a task by its name: of a file, what the file defines; of a folder, each single task in it."""
    if not is_path(task.name):
        yield task
        return
    path = Path(at_home(task.name))
    found = read_own([path])
    if not _is_folder(task):
        yield from (task.model_copy(update={"name": name}) for name in found)
        return
    single = [name for name in found if names.entry(name).kind == "task"]  # type: ignore[union-attr]
    for name in single:
        data = None if task.data is None else _file_of(task, name, path.name, single)
        yield task.model_copy(update={"name": name, "data": data})


def _members(
    task: TaskConfig, entry: IndexEntry, names: _Names, config: RunConfig
) -> tuple[tuple[TaskConfig, ...], str]:
    """Return the tasks of a group or tag that can be evaluated, and a sentence on them."""
    if entry.fault is not None:
        raise CornerstoneError(f"the group {entry.name} cannot be evaluated as in lm-eval: {entry.fault}")
    sound = [name for name in entry.members if _refusal(name, names) is None]
    left = [name for name in entry.members if name not in sound]
    if not sound:
        why = _refusal(left[0], names)
        raise CornerstoneError(f"no task of the {entry.kind} {entry.name} can be evaluated ({left[0]}: {why})")
    shots = dict(entry.shots)
    asked = config.shots(task)
    members = []
    for name in sound:
        # As in lm-eval: a number that was asked for wins, but over 0.
        own = shots.get(name)
        number = task.num_fewshot if own is None else own if asked is None or own == 0 else asked
        data = None if task.data is None else _file_of(task, name, f"the {entry.kind} {entry.name}", sound)
        members.append(TaskConfig(name=name, data=data, num_fewshot=number))
    count = f"{len(sound)} tasks" if len(sound) > 1 else "1 task"
    said = f"the {entry.kind} {entry.name} has {count}, and a limit on documents holds for each of them"
    if left:
        some = f"{', '.join(left[:_NAMED])}{' and others' if len(left) > _NAMED else ''}"
        said += f"; {len(left)} of its tasks are left out: {some} ({left[0]}: {_refusal(left[0], names)})"
    return tuple(members), said


def _refusal(name: str, names: _Names) -> str | None:
    entry = names.entry(name)
    return None if entry is None else entry.refusal


def _refused(name: str, entry: IndexEntry, names: _Names) -> CornerstoneError:
    what = f"{entry.definition}: {name}" if name in names.own else name
    return CornerstoneError(f"{what} cannot be evaluated: {entry.refusal}; choose another task")


def _file_of(task: TaskConfig, name: str, whole: str, members: list[str]) -> Path:
    """Return the data file of one of several tasks, which is in the folder that the user gave."""
    assert task.data is not None
    folder = at_home(task.data)
    form = f"{whole} needs a folder with a file NAME.jsonl for each of its {len(members)} tasks"
    if kind_at(folder) != "folder":
        raise CornerstoneError(f"{form}, and {short_repr(str(task.data))} is none")
    missing = [one for one in members if kind_at(folder / f"{one}.jsonl") is None]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise CornerstoneError(f"{form}, and {folder} has no {missing[0]}.jsonl{more}")
    return folder / f"{name}.jsonl"


def _groups(entry: IndexEntry, names: _Names, evaluated: set[str]) -> Iterator[TaskGroup]:
    """Yield a group or tag, and the groups within it, with the members that are evaluated."""
    for name in (entry.name, *entry.groups):
        one = names.entry(name)
        members = () if one is None else tuple(member for member in one.members if member in evaluated)
        if one is not None and members:
            yield TaskGroup(name, members, one.weights)
