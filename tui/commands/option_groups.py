"""Option groups: options that several commands share, each declared once as a field of a dataclass.

A command takes a group as one parameter, and ``grouped`` turns it into the group's options.

    @app.command()
    @grouped
    def ablation(selected: Stored, to: Output) -> None: ...
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import typer

from core.errors import CornerstoneError
from core.estimators.setting import NamedSetting, Number

_POSITIONAL = inspect.Parameter.POSITIONAL_OR_KEYWORD


class SettingOptions:
    """Marks a parameter that stands for settings of estimators: an option each. Its mapping has the given ones.

    Args:
        settings: lists the settings when the command line is built.
    """

    def __init__(self, settings: Callable[[], tuple[NamedSetting, ...]]) -> None:
        self.settings = settings


Settings = Mapping[str, Number]


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Expand the parameters of a command that are option groups, for typer to read."""
    parts = [_Part(parameter) for parameter in inspect.signature(command, eval_str=True).parameters.values()]

    @wraps(command)
    def called(**options: Any) -> None:
        command(**{part.name: part.gathered(options) for part in parts})

    expanded = [option for part in parts for option in part.options]
    _refuse_same_names(command.__name__, [option.name for option in expanded])
    called.__signature__ = inspect.Signature(expanded)  # type: ignore[attr-defined]
    called.__annotations__ = {option.name: option.annotation for option in expanded}
    return called


def _refuse_same_names(command: str, names: Sequence[str]) -> None:
    """Refuse a setting of a plugin that has the name of another option."""
    for name in names:
        if names.count(name) > 1:
            what = f"`{command}` has an option {name!r} already"
            raise CornerstoneError(f"{what}; the plugin that declares a setting of that name has to rename it")


class _Part:
    """One parameter of a command, and the options that stand for it."""

    def __init__(self, parameter: inspect.Parameter) -> None:
        self.name = parameter.name
        self._marker = _marker(parameter.annotation)
        self._group: Any = parameter.annotation if is_dataclass(parameter.annotation) else None
        self.options = [parameter.replace(kind=_POSITIONAL)]
        if self._marker is not None:
            self.options = [_setting_option(setting) for setting in self._marker.settings()]
        elif self._group is not None:
            self.options = list(_fields(self._group))

    def gathered(self, options: Mapping[str, Any]) -> Any:
        """Return the parameter's value from those of its options."""
        given = {option.name: options[option.name] for option in self.options}
        if self._marker is not None:
            return {name: value for name, value in given.items() if value is not None}
        return given[self.name] if self._group is None else self._group(**given)


def _marker(annotation: Any) -> SettingOptions | None:
    marks = get_args(annotation)[1:] if get_origin(annotation) is Annotated else ()
    return next((mark for mark in marks if isinstance(mark, SettingOptions)), None)


def _setting_option(setting: NamedSetting) -> inspect.Parameter:
    annotation: Any = Annotated[setting.kind | None, typer.Option(help=setting.option_help)]
    return inspect.Parameter(setting.name, _POSITIONAL, default=None, annotation=annotation)


def _fields(group: Any) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        default = inspect.Parameter.empty if field.default is MISSING else field.default
        yield inspect.Parameter(field.name, _POSITIONAL, default=default, annotation=hints[field.name])
