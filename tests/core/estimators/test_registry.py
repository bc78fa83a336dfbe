"""The registry: every estimator under its name, those of plugins too, and faulty ones refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
import pytest

from core.coalitions.players import Removed, players_of
from core.coalitions.schedules import ablation, windows
from core.config.run_config import load_config
from core.errors import CornerstoneError
from core.estimators import registry
from core.estimators.estimator import Estimator, Outcomes
from core.estimators.exact import Exact
from core.estimators.leave_one_out import LeaveOneOut
from core.estimators.permutation import Permutation
from core.estimators.question import Question
from core.estimators.racing import stored_verdicts
from core.estimators.setting import Setting
from core.estimators.windows import WindowEnds, WindowFirst
from core.statistics.intervals import FloatArray
from core.statistics.verdicts import Race


@dataclass(frozen=True, slots=True)
class Own(Estimator):
    """An estimator of somebody else's."""

    reach: Annotated[int, Setting("How far", "reach", 1, 9)] = 3
    name: ClassVar[str] = "own"
    summary: ClassVar[str] = "something else"
    schedule: ClassVar[str] = "own"

    def missing(self, outcomes: Outcomes, units: int) -> list[Removed]:
        return [removed for removed in ablation(units) if removed not in outcomes]

    def contributions(self, outcomes: Outcomes, units: int) -> FloatArray:
        return np.zeros((units, 1))


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Estimators of plugins: a list that a test fills."""
    added: list[Any] = []
    monkeypatch.setattr(registry, "contributed", lambda _kind: tuple(added))
    registry.estimators.cache_clear()
    yield added
    registry.estimators.cache_clear()


def test_every_estimator_has_its_own_name_and_says_what_it_is_for() -> None:
    for name, kind in registry.estimators().items():
        assert kind.name == name
        assert kind.summary
        assert registry.estimator_type(name) is kind
    assert registry.window_readings() == ("window-first", "window-ends")


def test_schedules_are_those_of_the_estimators() -> None:
    assert dict(registry.schedules()) == {
        "windows": WindowFirst, "ablation": LeaveOneOut, "exact": Exact, "permutation": Permutation
    }  # fmt: skip
    assert registry.scheduled("windows") is WindowFirst
    assert registry.scheduled("window-ends") is WindowEnds
    assert registry.scheduled("leave-one-out") is LeaveOneOut
    with pytest.raises(CornerstoneError, match=r"no schedule 'window'; there is windows, ablation, .*did you mean"):
        registry.scheduled("window")


def test_a_schedule_lists_the_coalitions_that_its_estimator_reads() -> None:
    assert WindowFirst(3).coalitions(6) == windows(6, 3)
    assert LeaveOneOut().coalitions(6) == ablation(6)
    assert Exact().coalitions(4) == sorted(Exact().missing({}, 4))
    assert Permutation(8).coalitions(6) == []
    assert Permutation(8).most_coalitions(6) == 2 + 8 * 5
    assert Permutation(8).most_coalitions(4) == 2**4


def test_a_plugins_estimator_is_one_among_the_others(plugins: list[Any]) -> None:
    plugins.append(Own)
    assert registry.estimator_named("own", {"reach": 5, "max_removed": 2}) == Own(5)
    assert registry.schedules()["own"] is Own
    assert [setting.name for setting in registry.settings()] == [
        "max_removed", "permutations", "seed", "tolerance", "reach"
    ]  # fmt: skip
    assert registry.checked({"reach": "4"}) == {"reach": 4}
    assert (Own(4).described(), Own(4).extent) == ("own (reach 4)", "(reach 4)")


@dataclass(frozen=True)
class Unwritten(Estimator):
    """Asks for coalitions, and makes nothing of them."""

    name: ClassVar[str] = "unwritten"
    summary: ClassVar[str] = "half an estimator"
    schedule: ClassVar[str] = "unwritten"

    def missing(self, outcomes: Outcomes, units: int) -> list[Removed]:
        return []


@dataclass(frozen=True)
class Worded(Own):
    """Has a setting that is no number."""

    far: Annotated[str, Setting("How far", "far", 1)] = "3"
    name: ClassVar[str] = "worded"


@dataclass(frozen=True)
class OutOfRange(Own):
    """Has a default that its own setting refuses."""

    far: Annotated[int, Setting("How far", "far", 1)] = 0
    name: ClassVar[str] = "out-of-range"


class Changeable(Own):
    """Is compared by value, and may change: no frozen dataclass."""

    __hash__ = None  # type: ignore[assignment]


def test_no_verdict_is_made_of_coalitions_that_a_plugin_draws(plugins: list[Any]) -> None:
    class Drawn(Own):
        name: ClassVar[str] = "drawn"
        schedule: ClassVar[str] = "drawn"

        def sampling_noise(self, outcomes: Outcomes, units: int) -> FloatArray:
            return np.zeros((4, units))

    plugins += [Own, Drawn]
    said = "until_top: does not work with drawn: documents do not decide on coalitions drawn at random"
    with pytest.raises(CornerstoneError, match=said):
        load_config(None, {"tasks": ["agreement"], "schedule": ["ablation", "drawn"], "until_top": 1})
    assert load_config(None, {"tasks": ["agreement"], "schedule": "own", "until_top": 1}).until_top == 1
    game = Question(Drawn()).of(players_of((("attn", "ffn"),) * 3))
    scores = {removed: np.zeros(90) for removed in ablation(6)}
    assert stored_verdicts(game, scores, np.arange(90), Race(3, span=1.0)) is None


def test_what_does_not_fit_is_refused_by_name(plugins: list[Any]) -> None:
    @dataclass(frozen=True, slots=True)
    class Otherwise(Own):
        """Declares somebody's setting in another way."""

        max_removed: Annotated[int, Setting("Something else", "k", 1)] = 4
        name: ClassVar[str] = "otherwise"

    class Shadow(Own):
        """Has the name of a schedule."""

        name: ClassVar[str] = "windows"
        schedule: ClassVar[str] = "shadow"

    class Nameless(Estimator):
        """Says nothing of itself."""

        summary: ClassVar[str] = "nothing"

    @dataclass(frozen=True)
    class Bare(Own):
        """Has a field that is no setting."""

        far: int = 3
        name: ClassVar[str] = "bare"

    for added, sentence in (
        (Shadow, "'windows' has the name of another's schedule"),
        (Unwritten, "the estimator Unwritten, which has no contributions"),
        (Worded, "the estimator Worded, which cannot be used: Worded.far must be an int or a float"),
        (OutOfRange, "the estimator OutOfRange, which cannot be used: far must be a whole number of 1 or more, not 0"),
        (Changeable, "the estimator Changeable, which cannot be used: unhashable type: 'Changeable'"),
        (Nameless, "the estimator Nameless, which has no name and no schedule"),
        (Bare, "the estimator Bare, which cannot be used: Bare.far needs a Setting"),
        ("own", "'own' to the estimators, which is no subclass of Estimator"),
        (Exact, "two estimators are named 'exact'"),
        (Otherwise, "'otherwise' declares a setting 'max_removed' otherwise than another estimator"),
    ):
        plugins[:] = [added]
        registry.estimators.cache_clear()
        with pytest.raises(CornerstoneError, match=sentence):
            registry.estimators()


def test_an_unknown_setting_is_refused_with_those_there_are() -> None:
    with pytest.raises(CornerstoneError, match=r"no estimator has a setting 'max_remove'; .*did you mean max_removed"):
        registry.checked({"max_remove": 3})


def test_reports_compare_shapley_values_that_are_not_extrapolated() -> None:
    found = registry.compared({"max_removed": 3, "permutations": 30})
    assert found == (WindowFirst(3), WindowEnds(3), Exact(), Permutation(30))
