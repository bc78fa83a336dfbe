"""``python -m core.tasks.read_index``: read lm-eval's tasks and groups, and print them as JSON in the last line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from lm_eval.tasks import TaskManager

from core.tasks.group_tree import GroupTree
from core.tasks.index import Row, lm_eval_folder


def main() -> None:
    """Print the rows of the index."""
    print(json.dumps(sorted(_rows(lm_eval_folder()), key=lambda row: row[0])))


def _rows(root: Path) -> Iterator[Row]:
    found = TaskManager().task_index
    definitions = {name: entry.cfg for name, entry in found.items() if entry.cfg is not None}
    for entry in GroupTree(definitions, {}).entries():
        path = found[entry.name].yaml_path if entry.name in found else None
        where = None if path is None else Path(path).relative_to(root).as_posix()
        yield entry.name, entry.kind, where, entry.details()


if __name__ == "__main__":
    main()
