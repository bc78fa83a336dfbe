"""Tasks, groups and tags of the user: YAML files and folders of them, in lm-eval's form. Light to import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from core.errors import CornerstoneError, Mend
from core.machine.plain_text import short_repr
from core.machine.regular_file import kind_at, real_path
from core.records.fingerprint import digest_of
from core.tasks.entries import IndexEntry
from core.tasks.group_tree import GroupTree, is_group
from core.tasks.task_yaml import check_fields, check_lists, functions_of, read_definition

MOST_FILES: Final = 20_000
"""The most YAML files in a folder; lm-eval itself has 14 000."""

_ENDINGS = (".yaml", ".yml")
_SKIPPED = frozenset({"__pycache__", ".ipynb_checkpoints"})


@dataclass(frozen=True, slots=True)
class OwnTask:
    """A task or group of the user: its file, and what is in it, with functions as ``task_yaml.Function``."""

    path: Path
    definition: Mapping[str, Any]


def read_own(paths: Sequence[Path]) -> dict[str, OwnTask]:
    """Return the tasks and groups in YAML files and folders by name; a later path wins.

    Raises:
        CornerstoneError: a path is not there, a file is no sound definition, or a folder defines a name twice.
    """
    found: dict[str, OwnTask] = {}
    for path in paths:
        found |= _in(real_path(path))
    return found


def own_entries(own: Mapping[str, OwnTask], known: Mapping[str, IndexEntry]) -> dict[str, IndexEntry]:
    """Return an entry for each of the user's tasks, groups and tags; groups may name tasks that are ``known``."""
    tree = GroupTree({name: task.definition for name, task in own.items()}, known)
    return {
        entry.name: replace(entry, definition=own[entry.name].path) if entry.name in own else entry
        for entry in tree.entries()
    }


def refuse_code(name: str, task: OwnTask, trusted: Sequence[Path]) -> None:
    """Refuse a task whose definition names code, unless the code is in one of the folders that are trusted.

    Raises:
        CornerstoneError: it names some.
    """
    for function in functions_of(task.definition):
        if not any(real_path(function.folder).is_relative_to(folder) for folder in trusted):
            said = f"{task.path}: {name} runs code of its own ({function}), and that is only done if you trust it"
            raise CornerstoneError(said, Mend.TRUST_TASK_CODE)


def own_digest(task: OwnTask) -> str:
    """Return a digest of a task's files as they are now, and of the files beside them that its functions are in."""
    texts = [str(read_definition(task.path))]
    for function in functions_of(task.definition):
        module = function.name.rpartition(".")[0].replace(".", "/")
        try:
            texts.append((function.folder / f"{module}.py").read_bytes().hex())
        except OSError:
            continue  # it is of a package that is installed
    return digest_of(texts)


def _in(path: Path) -> dict[str, OwnTask]:
    kind = kind_at(path)
    if kind not in {"file", "folder"}:
        said = "there is no such file or folder" if kind is None else f"it is a {kind}"
        raise CornerstoneError(f"no tasks in {short_repr(str(path))}: {said}")
    found: dict[str, OwnTask] = {}
    for file in [path] if kind == "file" else _files(path):
        task = _task(file)
        if task is None and kind == "file":
            raise CornerstoneError(f"{path} names neither a task nor a group (`task: NAME` or `group: NAME`)")
        if task is None:
            continue  # a file that others include
        name, own = task
        if name in found:
            raise CornerstoneError(f"{own.path} and {found[name].path} both define {short_repr(name)}; rename one")
        found[name] = own
    if not found:
        raise CornerstoneError(f"no tasks in {path}: none of its YAML files names a task or a group")
    return found


def _files(folder: Path) -> Iterator[Path]:
    try:
        files = sorted(
            file
            for ending in _ENDINGS
            for file in folder.rglob(f"*{ending}")
            if file.is_file() and not _SKIPPED.intersection(file.parts)
        )
    except OSError as error:
        raise CornerstoneError(f"cannot look into {folder}: {error.strerror}") from error
    if len(files) > MOST_FILES:
        raise CornerstoneError(f"{folder} has more than {MOST_FILES} YAML files, which is too many")
    yield from files


def _task(file: Path) -> tuple[str, OwnTask] | None:
    definition = read_definition(file)
    key = "group" if is_group(definition) else "task"
    name = definition.get(key)
    if name is None:
        return None
    if not isinstance(name, str) or not name.strip() or "=" in name:
        raise CornerstoneError(f"{file}: {key} should be a name without =, not {short_repr(name)}")
    check_lists(definition, file)
    if key == "task":
        check_fields(definition, file)
    return name, OwnTask(file, definition)
