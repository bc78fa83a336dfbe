"""``python -m core.tasks.read_index``: read lm-eval's task files and print their names, as JSON in the last line."""

from __future__ import annotations

import json
from pathlib import Path

from lm_eval.tasks import TaskManager

from core.tasks.index import EntryKind, Row, lm_eval_folder


def main() -> None:
    """Print the rows of the index."""
    print(json.dumps(_read(lm_eval_folder())))


def _read(root: Path) -> list[Row]:
    manager = TaskManager()
    kinds: dict[str, EntryKind] = dict.fromkeys(manager.all_subtasks, "task")
    kinds |= dict.fromkeys(manager.all_groups, "group")
    kinds |= dict.fromkeys(manager.all_tags, "tag")
    paths = {name: entry.yaml_path for name, entry in manager.task_index.items()}
    return [(name, kind, _relative(paths.get(name), root)) for name, kind in sorted(kinds.items())]


def _relative(path: Path | None, root: Path) -> str | None:
    return None if path is None else Path(path).relative_to(root).as_posix()


if __name__ == "__main__":
    main()
