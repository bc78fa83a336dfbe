"""The registry of estimators by name: our own, then those of plugins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from types import MappingProxyType
from typing import Any

from core.errors import CornerstoneError
from core.estimators.estimator import Estimator
from core.estimators.exact import Exact
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.permutation import Permutation
from core.estimators.setting import NamedSetting, Number, settings_of
from core.estimators.window_extrapolation import WindowExtrapolation
from core.estimators.windows import WindowEnds, WindowFirst
from core.machine.plain_text import short_repr
from core.plugins import contributed

_OWN: tuple[type[Estimator], ...] = (WindowFirst, WindowEnds, WindowExtrapolation, LeaveOneOut, Exact, Permutation)


@cache
def estimators() -> Mapping[str, type[Estimator]]:
    """Return every estimator by its name.

    Raises:
        CornerstoneError: a plugin adds something that is no estimator, or whose name is taken.
    """
    found: dict[str, type[Estimator]] = {}
    known: dict[str, NamedSetting] = {}
    for each in (*_OWN, *contributed("estimators")):
        _refuse_incomplete(each)
        if each.name in found:
            raise CornerstoneError(f"two estimators are named {each.name!r}; a plugin has to rename its own")
        for setting in settings_of(each):
            if known.setdefault(setting.name, setting) != setting:
                raise CornerstoneError(
                    f"the estimator {each.name!r} declares a setting {setting.name!r} otherwise than another estimator "
                    "does; its plugin has to rename it"
                )
        found[each.name] = each
    for kind in found.values():
        other = found.get(kind.schedule, kind)
        if other.schedule != kind.schedule:
            raise CornerstoneError(
                f"the estimator {other.name!r} has the name of another's schedule; its plugin has to rename it"
            )
    return MappingProxyType(found)


def _refuse_incomplete(added: Any) -> None:
    """Refuse an addition of a plugin that is no usable estimator.

    Raises:
        CornerstoneError: it is no class of estimators, or it lacks something that every estimator has.
    """
    if not (isinstance(added, type) and issubclass(added, Estimator)):
        raise CornerstoneError(f"a plugin adds {added!r} to the estimators, which is no subclass of Estimator")
    lacking = [name for name in ("name", "summary", "schedule") if not isinstance(getattr(added, name, None), str)]
    lacking += sorted(added.__abstractmethods__)
    if lacking:
        raise CornerstoneError(f"a plugin adds the estimator {added.__name__}, which has no {' and no '.join(lacking)}")
    try:
        settings_of(added)
        hash(added())  # its defaults are in range, and it is frozen
    except (TypeError, CornerstoneError) as error:
        raise CornerstoneError(
            f"a plugin adds the estimator {added.__name__}, which cannot be used: {error}"
        ) from error


def estimator_type(name: str) -> type[Estimator]:
    """Return the estimator of a name.

    Raises:
        CornerstoneError: there is none.
    """
    known = estimators()
    if name in known:
        return known[name]
    raise CornerstoneError(f"no estimator {short_repr(name)}; there is {', '.join(known)}{_meant(name, known)}")


def estimator_named(name: str, settings: Mapping[str, Number] = MappingProxyType({})) -> Estimator:
    """Make the estimator of a name.

    Args:
        name: one of ``estimators()``.
        settings: values by name; those of other estimators are ignored.

    Raises:
        CornerstoneError: there is no such estimator, or a setting is out of range.
    """
    return estimator_type(name).of(settings)


def compared(settings: Mapping[str, Number]) -> tuple[Estimator, ...]:
    """Make the estimators that reports compare: those of Shapley values, without what extrapolates."""
    return tuple(kind.of(settings) for kind in estimators().values() if kind.shapley and not kind.extrapolates)


def settings() -> tuple[NamedSetting, ...]:
    """List the settings of all estimators, each once, in the order of the registry."""
    return tuple({setting.name: setting for kind in estimators().values() for setting in settings_of(kind)}.values())


def checked(values: Mapping[str, object]) -> dict[str, Number]:
    """Return settings as numbers of the right type.

    Raises:
        CornerstoneError: no estimator has such a setting, or a value is out of range.
    """
    known = {setting.name: setting for setting in settings()}
    for name in values:
        if name not in known:
            said = f"no estimator has a setting {short_repr(name)}; there is {', '.join(known)}"
            raise CornerstoneError(f"{said}{_meant(name, known)}")
    return {name: known[name].checked(value) for name, value in values.items()}


def schedules() -> Mapping[str, type[Estimator]]:
    """Return every schedule by its name, with the estimator that reports it."""
    found: dict[str, type[Estimator]] = {}
    for kind in estimators().values():
        found.setdefault(kind.schedule, kind)
    return found


def scheduled(name: str) -> type[Estimator]:
    """Return the estimator that reports a schedule. An estimator's own name stands for its schedule too.

    Raises:
        CornerstoneError: there is no such schedule.
    """
    known = {**estimators(), **schedules()}
    if name in known:
        return known[name]
    raise CornerstoneError(f"no schedule {short_repr(name)}; there is {', '.join(schedules())}{_meant(name, known)}")


def window_readings() -> tuple[str, ...]:
    """List the names of the estimators that read the paper's windows and go no further, the paper's own first."""
    found = estimators().items()
    return tuple(name for name, kind in found if kind.schedule == WindowFirst.schedule and not kind.extrapolates)


def _meant(name: str, known: Iterable[str]) -> str:
    """Return the end of a refusal: the known name that is closest, or nothing."""
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
