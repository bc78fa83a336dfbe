"""Installs the plugin of CONTRIBUTING.md from the text there, so that tests run the very code it shows."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

from tests.support.programs import REPOSITORY

_FILE = re.compile(r"`([\w.]+)`:\n\n```\w+\n(.*?)```", re.DOTALL)


def files() -> dict[str, str]:
    """Return the text of each file of the plugin by its name."""
    recipe = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("### A plugin\n")[2]
    return dict(_FILE.findall(recipe))


def install(site: Path) -> dict[str, str]:
    """Install into a folder as pip would: modules and metadata of the package. Return an environment that has it."""
    found = files()
    project = tomllib.loads(found.pop("pyproject.toml"))["project"]
    for name, text in found.items():
        (site / name).write_text(text, encoding="utf-8")
    facts = site / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    facts.mkdir()
    metadata = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    (facts / "METADATA").write_text(metadata, encoding="utf-8")
    groups = [
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())])
        for group, entries in project["entry-points"].items()
    ]
    (facts / "entry_points.txt").write_text("\n".join(groups) + "\n", encoding="utf-8")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(REPOSITORY)]), "OMP_NUM_THREADS": "1"}
