"""Read the YAML file of a task or a group as plain data: bounded, without running code, errors with file and field.

Light to import.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import yaml

from core.errors import CornerstoneError
from core.machine.paths import at_home
from core.machine.plain_text import short_repr
from core.machine.regular_file import real_path
from core.machine.small_file import read_small
from core.machine.yaml_text import load_yaml, what_is_wrong

MOST_INCLUDES: Final = 50
"""How many files a task may include, also by way of others."""

_TEXT = (str,)
_TEMPLATE = (str, int)
_LIST = (list,)
_FUNCTION: tuple[type, ...] = ()
_FIELDS: Final[Mapping[str, tuple[type, ...]]] = {
    "task": _TEXT,
    "task_alias": _TEXT,
    "tag": (str, list),
    "group": _TEXT,
    "class": _TEXT,
    "custom_dataset": _FUNCTION,
    "dataset_path": _TEXT,
    "dataset_name": _TEXT,
    "dataset_kwargs": (dict,),
    "training_split": _TEXT,
    "validation_split": _TEXT,
    "test_split": _TEXT,
    "fewshot_split": _TEXT,
    "process_docs": _FUNCTION,
    "doc_to_text": _TEMPLATE,
    "doc_to_target": (*_TEMPLATE, list),
    "doc_to_choice": (str, list, dict),
    "doc_to_image": (str, list),
    "doc_to_audio": (str, list),
    "unsafe_code": (bool,),
    "process_results": _FUNCTION,
    "use_prompt": _TEXT,
    "description": _TEXT,
    "target_delimiter": _TEXT,
    "fewshot_delimiter": _TEXT,
    "fewshot_config": (dict,),
    "num_fewshot": (int,),
    "metric_list": _LIST,
    "output_type": _TEXT,
    "generation_kwargs": (dict,),
    "repeats": (int,),
    "filter_list": (str, list),
    "should_decontaminate": (bool,),
    "doc_to_decontamination_query": _TEXT,
    "gen_prefix": _TEXT,
    "metadata": (dict, list, str, int, float),
}
"""What each field of a task may be, beside a function: the fields of lm-eval's own tasks."""

_NAMES = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a mapping",
    float: "a number",
}


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a field names by ``!function module.name``. ``folder`` is that of the file that names it."""

    folder: Path
    name: str

    def __str__(self) -> str:
        return f"!function {self.name}"


def read_definition(path: Path) -> dict[str, Any]:
    """Return the content of a task's or group's file, with all that it includes; its own fields win.

    Raises:
        CornerstoneError: a file is not there, is no YAML, or too large, is no mapping, or includes itself or too much.
    """
    return _read(real_path(path), ())


def functions_of(value: Any) -> Iterator[Function]:
    """Yield every function that a definition names."""
    match value:
        case Function():
            yield value
        case Mapping():
            for item in value.values():
                yield from functions_of(item)
        case list():
            for item in value:
                yield from functions_of(item)


def check_lists(definition: Mapping[str, Any], path: Path) -> None:
    """Check that the tags of a task or group are texts, and that a group lists its metrics.

    Raises:
        CornerstoneError: they are something else.
    """
    tags = definition.get("tag")
    if tags is not None and not all(isinstance(tag, str) for tag in (tags if isinstance(tags, list) else [tags])):
        raise CornerstoneError(f"{path}: tag should be text or a list of texts, not {short_repr(tags)}")
    metrics = definition.get("aggregate_metric_list")
    if metrics is not None and not isinstance(metrics, list | dict):
        said = f"aggregate_metric_list should be a list or a mapping, not {short_repr(metrics)}"
        raise CornerstoneError(f"{path}: {said}")


def check_fields(definition: Mapping[str, Any], path: Path) -> None:
    """Check that the fields of a single task are lm-eval's, and hold what they may.

    Raises:
        CornerstoneError: one does not.
    """
    for name, value in definition.items():
        kinds = _FIELDS.get(name)
        if kinds is None:
            close = get_close_matches(str(name), _FIELDS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else "lm-eval's tasks have no such field"
            raise CornerstoneError(f"{path}: unknown field {short_repr(name)}; {hint}")
        if not _fits(value, kinds):
            said = " or ".join([*(_NAMES[kind] for kind in kinds), "a function"])
            raise CornerstoneError(f"{path}: {name} should be {said}, not {short_repr(value)}")
    for number, metric in enumerate(definition.get("metric_list") or (), 1):
        if not isinstance(metric, Mapping) or not isinstance(metric.get("metric"), str | Function):
            raise CornerstoneError(f"{path}: entry {number} of metric_list should be a mapping with `metric:`")


def _fits(value: Any, kinds: tuple[type, ...]) -> bool:
    if value is None or isinstance(value, Function):
        return True
    if isinstance(value, bool):
        return bool in kinds
    return isinstance(value, kinds)


def _read(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    if path in above:
        raise CornerstoneError(f"{above[-1]}: include: {path} includes itself")
    if len(above) > MOST_INCLUDES:
        raise CornerstoneError(f"{path}: more than {MOST_INCLUDES} files include each other")
    content = _content(path, above[-1] if above else None)
    includes = content.pop("include", None)
    merged: dict[str, Any] = {}
    for include in includes if isinstance(includes, list) else [] if includes is None else [includes]:
        if not isinstance(include, str) or not include:
            raise CornerstoneError(f"{path}: include should be the path of a file, not {short_repr(include)}")
        merged |= _read(real_path(path.parent / at_home(include)), (*above, path))
    return merged | content


def _content(path: Path, includer: Path | None) -> dict[str, Any]:
    where = f"{path}, which {includer} includes" if includer is not None else str(path)
    try:
        content = load_yaml(read_small(path, where), {"!function": lambda name: Function(path.parent, name)})
    except FileNotFoundError as error:
        raise CornerstoneError(f"cannot read {where}: {error.strerror}") from error
    except yaml.YAMLError as error:
        line, problem = what_is_wrong(error)
        raise CornerstoneError(f"{where}{f', line {line}' if line else ''}: not valid YAML ({problem})") from error
    if not isinstance(content, dict):
        raise CornerstoneError(f"{where}: a task is a mapping of fields, such as `task:` and `doc_to_text:`")
    return content
