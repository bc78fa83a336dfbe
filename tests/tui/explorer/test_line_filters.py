"""Colours and characters of finished lines: every theme stays readable, and ASCII is ASCII."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual._border import BORDER_CHARS
from textual.color import Color
from textual.scrollbar import ScrollBarRender
from textual.widgets import Static

from core.config.run_config import RunConfig
from tests.support import example_state as example
from tests.support.screen_host import settled
from tui.drawing.kinds import LOOKS
from tui.explorer.app import Explorer
from tui.explorer.line_filters import Ascii, ascii_text, filters_of, lightness_turned, told_apart
from tui.explorer.screens.settings import SettingsDialog
from tui.explorer.session import Session
from tui.explorer.terminal_kind import only_ascii
from tui.settings import Settings, read_settings, settings_path

PART = st.floats(0, 1)
LUMA = (0.2126, 0.7152, 0.0722)


def luma(colour: tuple[float, float, float]) -> float:
    return sum(weight * part for weight, part in zip(LUMA, colour, strict=True))


@given(st.tuples(PART, PART, PART))
def test_a_light_colour_becomes_as_dark_of_the_same_hue(colour: tuple[float, float, float]) -> None:
    turned = lightness_turned(colour)
    assert all(-1e-9 <= part <= 1 + 1e-9 for part in turned)
    assert luma(turned) == pytest.approx(1 - luma(colour), abs=1e-9)
    order = sorted(range(3), key=lambda at: colour[at])
    assert all(turned[low] <= turned[high] + 1e-9 for low, high in pairwise(order))


@given(st.text())
def test_ascii_is_ascii_and_as_wide(text: str) -> None:
    shown = ascii_text(text)
    assert shown.isascii()
    printable = "".join(one for one in text if unicodedata.category(one)[0] not in "CM")
    assert cell_len(ascii_text(printable)) == cell_len(printable)


def test_every_glyph_of_a_kind_has_a_letter() -> None:
    glyphs = "".join(look.mark + look.weights for look in LOOKS.values())
    assert "?" not in ascii_text(glyphs + "╭─╮│╰╯├┤┣━╋▸✕✓≠±…●○")
    for look in LOOKS.values():
        assert len(set(ascii_text(look.weights))) == len(look.weights), look.short
    segments = Ascii().apply([Segment("a"), Segment("█░", Style(bold=True))], Color(0, 0, 0))
    assert [segment.text for segment in segments] == ["a", "#."]
    assert segments[1].style == Style(bold=True)


def test_an_error_is_not_taken_for_a_gain() -> None:
    assert ascii_text("acc .84 ±.12") == "acc .84+-.12"
    assert ascii_text(" ±se ") == "+-se "


def test_red_and_green_differ_for_who_cannot_tell_them_apart() -> None:
    def seen(colour: tuple[float, float, float]) -> tuple[float, float]:
        red, green, blue = colour
        return 0.29275 * red + 0.70725 * green, -0.02234 * (red - green) + blue

    wrong, right = (1.0, 0.42, 0.42), (0.49, 0.83, 0.52)
    before = sum(abs(a - b) for a, b in zip(seen(wrong), seen(right), strict=True))
    after = sum(abs(a - b) for a, b in zip(seen(told_apart(wrong)), seen(told_apart(right)), strict=True))
    assert after > 1.3 * before
    assert told_apart((0.5, 0.5, 0.5)) == pytest.approx((0.5, 0.5, 0.5))


def test_a_theme_changes_colours_and_nothing_else() -> None:
    style = Style(color=RichColor.from_rgb(255, 255, 255), bgcolor=RichColor.from_rgb(0, 0, 0), bold=True)
    (segment,) = filters_of("light", only_ascii=False)[0].apply([Segment("x", style)], Color(0, 0, 0))
    assert segment.style == Style(color="#000000", bgcolor="#ffffff", bold=True)
    assert filters_of("dark", only_ascii=False) == []


@pytest.mark.parametrize(
    ("characters", "environment", "expected"),
    [
        ("auto", {}, False),
        ("auto", {"LANG": "C"}, True),
        ("auto", {"LC_ALL": "C", "LANG": "en_GB.UTF-8"}, True),
        ("auto", {"LC_ALL": "", "LANG": "en_GB.UTF-8"}, False),
        ("auto", {"LC_CTYPE": "C.utf8", "LANG": "C"}, False),
        ("auto", {"LANG": "de_DE.ISO-8859-1"}, True),
        ("auto", {"TERM": "vt100", "LANG": "en_GB.UTF-8"}, True),
        ("auto", {"TERM": "dumb"}, True),
        ("auto", {"TERM": "xterm-256color"}, False),
        ("ascii", {"LANG": "en_GB.UTF-8"}, True),
        ("unicode", {"LANG": "C"}, False),
    ],
)
def test_what_a_terminal_can_show(characters: str, environment: dict[str, str], expected: bool) -> None:
    assert only_ascii(characters, environment) is expected  # type: ignore[arg-type]


def test_every_frame_and_scroll_bar_of_textual_has_letters() -> None:
    rows = [row for of_kind in BORDER_CHARS.values() for row in of_kind]
    bars = [*ScrollBarRender.VERTICAL_BARS, *ScrollBarRender.HORIZONTAL_BARS]
    glyphs = {glyph for text in (*rows, *bars) for glyph in text}
    assert len(glyphs) > 40
    assert not [glyph for glyph in glyphs if "?" in ascii_text(glyph)]


class Quiet(Explorer):
    def listen(self) -> None:  # type: ignore[override]
        """No evaluator."""


def shown(app: Explorer) -> str:
    return "\n".join("".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips())


@pytest.mark.slow
async def test_settings_are_tried_dropped_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    session = Session(config=RunConfig.model_validate({"tasks": "agreement"}))
    app = Quiet(tmp_path / "s", session, settings=Settings(characters="unicode"))
    async with app.run_test(size=(100, 30)) as pilot:
        app.state = example.state()
        await pilot.pause()
        assert not shown(app).isascii()
        await pilot.press("comma")
        await pilot.pause()
        assert isinstance(app.screen, SettingsDialog)
        await pilot.press("right", "down", "right")
        await pilot.pause()
        assert (app.settings.theme, app.settings.characters) == ("light", "ascii")
        assert shown(app).isascii()
        await pilot.press("escape")
        await pilot.pause()
        assert app.settings == Settings(characters="unicode")
        assert not shown(app).isascii()
        assert not settings_path().exists()
        await pilot.press("comma", "down", "down", "right", "down", "ctrl+a", "ctrl+k", "ctrl+s")
        await pilot.pause()
        assert isinstance(app.screen, SettingsDialog)  # no redraws are refused
        await pilot.press("2", "down", *"/nowhere/at/all/s.db", "ctrl+s")
        await pilot.pause()
        assert isinstance(app.screen, SettingsDialog)  # a store that cannot be made there is refused
        assert "there is no folder /nowhere" in str(app.screen.query_one("#fault", Static).content)
        assert not settings_path().exists()
        await pilot.press("ctrl+a", "ctrl+k", "ctrl+s")
        await pilot.pause()
        assert not isinstance(app.screen, SettingsDialog)
        assert read_settings() == app.settings == Settings(characters="unicode", bell=True, redraws=2)


async def test_the_palette_is_of_letters_too(tmp_path: Path) -> None:
    session = Session(config=RunConfig.model_validate({"tasks": "agreement"}))
    app = Quiet(tmp_path / "s", session, settings=Settings(characters="ascii"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+p")
        await settled(pilot)
        await pilot.press("g", "o")
        await settled(pilot)
        text = shown(app)
        assert "go to" in text
        assert text.isascii()
        assert "??" not in text
