"""What is missing for an answer, in one sentence with the command that fills it."""

from __future__ import annotations

import shlex

from store.groups import Group

_PROGRAM = "cornerstone"


def no_ablation(group: Group) -> str:
    """Neither a player removed alone, nor the intact model over the same documents."""
    what = "no document has both the intact model and a player removed alone"
    return f"{group.title}: {what}; {_fill(group, '--schedule ablation')}"


def no_windows(group: Group, missing: int, wanted: int, max_removed: int) -> str:
    """Coalitions that an estimator reads are not there."""
    what = f"{missing} of {wanted} coalitions are missing for windows of up to {max_removed}"
    return f"{group.title}: {what}; {_fill(group, f'--schedule windows --max-removed {max_removed}')}"


def no_document(group: Group, wanted: int, max_removed: int) -> str:
    """Every coalition is there, but not over the same document."""
    what = f"no document has all {wanted} coalitions of windows of up to {max_removed}"
    return f"{group.title}: {what}; {_fill(group, f'--schedule windows --max-removed {max_removed}')}"


def _fill(group: Group, options: str) -> str:
    """The latest command for these results, extended: it alone names the same documents and prompt settings."""
    command = group.command
    if not command.startswith(f"{_PROGRAM} run"):
        known = f" --model {shlex.quote(group.model_name)} --task {shlex.quote(group.task_name)}"
        command = f"{_PROGRAM} run" + (" quickstart" if command == _PROGRAM else known)
    return f"`{command} {options}` fills it"
