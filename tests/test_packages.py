"""Every installed package brings its data files, and tells type checkers that it is typed."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
DATA: dict[str, list[str]] = PROJECT["setuptools"]["package-data"]
INSTALLED = [pattern.removesuffix("*") for pattern in PROJECT["setuptools"]["packages"]["find"]["include"]]


@pytest.mark.parametrize("package", INSTALLED)
def test_an_installed_package_is_checked_and_typed_for_its_users(package: str) -> None:
    assert package in PROJECT["mypy"]["packages"]
    assert (ROOT / package / "py.typed").is_file()
    assert "py.typed" in DATA[package]


@pytest.mark.parametrize(("package", "pattern"), [(package, one) for package, each in DATA.items() for one in each])
def test_every_pattern_of_data_files_fits_some(package: str, pattern: str) -> None:
    assert list((ROOT / package).glob(pattern))
