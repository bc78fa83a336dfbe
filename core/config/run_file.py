"""The file of a run: where it is, and the keys in it. Errors name the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from core.config.task_config import is_path, written_task
from core.errors import CornerstoneError
from core.machine.paths import at_home
from core.machine.plain_text import short_repr
from core.machine.regular_file import kind_at
from core.machine.small_file import read_small
from core.machine.yaml_text import load_yaml, what_is_wrong


def find_run_file(path: Path) -> Path:
    """Return the file of a run: the path itself, or a packaged run of that name, such as ``paper/llama-3-8b``.

    Raises:
        CornerstoneError: there is neither.
    """
    kind = kind_at(path)
    if kind == "file":
        return path
    packaged = dict(_packaged())
    name = path.as_posix().removeprefix("configs/").removesuffix(".yaml")
    if name in packaged:
        return packaged[name]
    close = get_close_matches(name, packaged, n=1)
    hint = f"did you mean {close[0]}?" if close else f"give a YAML file, or one that is packaged: {', '.join(packaged)}"
    said = "" if kind is None else f", which is a {kind}"
    raise CornerstoneError(f"no run configuration {short_repr(str(path))}{said}; {hint}")


def _packaged() -> Iterator[tuple[str, Path]]:
    """Yield the packaged runs by name, such as ``quickstart`` and ``paper/llama-3-8b``."""
    folder = Path(str(resources.files("configs")))
    for file in sorted([*folder.glob("*.yaml"), *folder.glob("paper/*.yaml")]):
        yield file.relative_to(folder).with_suffix("").as_posix(), file


def packaged_tasks() -> frozenset[str]:
    """Return the names of the tasks that packaged runs evaluate."""
    found = (read_run_file(file).get("tasks", ()) for _, file in _packaged())
    return frozenset(name for tasks in found for task in tasks if isinstance(name := _name_of(task), str))


def _name_of(task: Any) -> Any:
    return task.get("name") if isinstance(task, Mapping) else task


def read_run_file(file: Path) -> dict[str, Any]:
    """Return the keys of a run's file. Its paths are relative to its folder.

    Raises:
        CornerstoneError: the file cannot be read, or is no mapping in YAML.
    """
    try:
        content = load_yaml(read_small(file, str(file)))
    except FileNotFoundError as error:
        raise CornerstoneError(f"cannot read {file}: {error.strerror}") from error
    except yaml.YAMLError as error:
        line, problem = what_is_wrong(error)
        place = str(file) if line is None else f"{file}, line {line}"
        raise CornerstoneError(f"{place}: not valid YAML ({problem})") from error
    if not isinstance(content, dict):
        raise CornerstoneError(f"{file}: a run configuration is a mapping of keys, such as `model:` and `tasks:`")
    tasks = content.get("tasks")
    if isinstance(tasks, list):
        content["tasks"] = [_relative_to(file.parent, task) for task in tasks]
    paths = content.get("include_path")
    if isinstance(paths, str | list):
        each = [paths] if isinstance(paths, str) else paths
        content["include_path"] = [file.parent / at_home(one) if isinstance(one, str) else one for one in each]
    for key in ("store", "adapter"):
        if isinstance(content.get(key), str):
            content[key] = file.parent / at_home(content[key])
    return content


def _relative_to(folder: Path, task: Any) -> Any:
    mapping = written_task(task) if isinstance(task, str) and not task.endswith("=") else task
    if not isinstance(mapping, dict):
        return mapping
    update: dict[str, Any] = {}
    if isinstance(mapping.get("data"), str):
        update["data"] = folder / at_home(mapping["data"])
    if isinstance(mapping.get("name"), str) and is_path(mapping["name"]):
        update["name"] = str(folder / at_home(mapping["name"]))
    return {**mapping, **update}
