"""Plugins: packages found by their entry points, a broken one named, none where they are turned off."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core import plugins
from core.errors import CornerstoneError
from core.plugins import SWITCH, contributed


def forget() -> None:
    contributed.cache_clear()
    plugins._plugins.cache_clear()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of packages, which stand before those that are installed."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv(SWITCH, raising=False)
    forget()
    yield tmp_path
    forget()
    for name in ("late_one", "early_one", "broken_one"):
        sys.modules.pop(name, None)


def package(folder: Path, name: str, code: str, entry: str) -> None:
    """Install a package of one module, with one entry point."""
    (folder / f"{name.replace('-', '_')}.py").write_text(code)
    facts = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(f"[cornerstone.plugins]\n{entry}\n")
    importlib.invalidate_caches()


def test_without_packages_there_is_nothing() -> None:
    assert contributed("estimators") == ()


def test_modules_and_objects_add_in_the_order_of_their_names(folder: Path) -> None:
    package(folder, "late-one", "formats = ['late']\ntables = ('table',)", "b = late_one")
    package(folder, "early-one", "class Plugin:\n    formats = ('early', 'second')", "a = early_one:Plugin")
    assert contributed("formats") == ("early", "second", "late")
    assert contributed("tables") == ("table",)
    assert contributed("values") == ()
    assert contributed("formats") is contributed("formats")


@pytest.mark.parametrize(
    ("code", "entry", "what"),
    [
        ("raise RuntimeError('out of luck')", "p = broken_one", r"does not load \(RuntimeError: out of luck\)"),
        ("import no_such_module_anywhere", "p = broken_one", r"does not load \(ModuleNotFoundError: No module named"),
        ("", "p = broken_one:Missing", r"does not load \(AttributeError: "),
        ("formats = 'csv'", "p = broken_one", "cannot be used: its 'formats' is a str, not a list or tuple"),
    ],
)
def test_a_broken_one_is_named_with_what_to_do(folder: Path, code: str, entry: str, what: str) -> None:
    package(folder, "broken-one", code, entry)
    remedy = "mend or uninstall broken-one, or start without plugins: .* CORNERSTONE_PLUGINS=off"
    with pytest.raises(CornerstoneError, match=f"^the plugin 'p' of the package broken-one {what}.*; {remedy}$"):
        contributed("formats")


def test_turned_off_none_is_loaded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package(folder, "broken-one", "raise RuntimeError", "p = broken_one")
    monkeypatch.setenv(SWITCH, "off")
    assert contributed("formats") == ()
    assert "broken_one" not in sys.modules
