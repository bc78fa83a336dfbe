"""Option groups: one parameter of a command stands for several options, declared once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest
import typer
from typer.testing import CliRunner

from core.errors import CornerstoneError
from core.estimators.setting import NamedSetting, Setting
from tui.commands.option_groups import SettingOptions, Settings, grouped

REACH = NamedSetting("reach", int, 3, Setting("How far to reach", "reach", 1, 9))
WEIGHT = NamedSetting("weight", float, 0.5, Setting("How much it weighs", "weight", 0))


@dataclass(frozen=True, slots=True)
class Place:
    """Two options."""

    street: Annotated[str, typer.Option(help="Where it is.")] = "none"
    far: Annotated[bool, typer.Option("--far", help="Far away.")] = False


def answer(*arguments: str) -> Any:
    """Invoke a command that has a group, settings and an option of its own; return the values it received."""
    app, seen = typer.Typer(), []

    @app.command()
    @grouped
    def go(
        name: Annotated[str, typer.Argument(help="Whose.")],
        settings: Annotated[Settings, SettingOptions(lambda: (REACH, WEIGHT))],
        place: Place,
        loud: Annotated[bool, typer.Option("--loud")] = False,
    ) -> None:
        """Go there."""
        seen.append((name, settings, place, loud))

    result = CliRunner().invoke(app, list(arguments))
    return seen[0] if seen else result.output


def test_what_is_given_is_gathered_and_the_rest_is_as_declared() -> None:
    assert answer("me") == ("me", {}, Place("none", False), False)
    assert answer("me", "--reach", "5", "--street", "main", "--far", "--loud") == (
        "me", {"reach": 5}, Place("main", True), True
    )  # fmt: skip
    assert answer("me", "--weight", "0.25") == ("me", {"weight": 0.25}, Place(), False)


def test_every_option_is_in_the_help_with_its_default() -> None:
    said = " ".join(answer("--help").split())
    for part in ("Go there.", "--reach", "How far to reach", "default 3", "--street", "Where it is.", "--loud"):
        assert part in said


def test_a_setting_named_as_another_option_is_refused() -> None:
    def go(settings: Annotated[Settings, SettingOptions(lambda: (REACH,))], reach: int = 1) -> None:
        """Go there."""

    sentence = "^`go` has an option 'reach' already; the plugin that declares a setting of that name has to rename it$"
    with pytest.raises(CornerstoneError, match=sentence):
        grouped(go)
