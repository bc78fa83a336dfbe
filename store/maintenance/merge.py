"""Merge stores into one: by the identity of models, tasks, documents and coalitions, whatever their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from core.errors import CornerstoneError, Mend
from core.machine.atomic_file import refuse_target
from store.file.cause import cause_of
from store.file.database import reading
from store.file.patience import OnWait
from store.file.place import is_there, shown
from store.maintenance.apart import CrashError, Tell, apart, wait_for
from store.maintenance.check import check, refuse_other_files
from store.maintenance.connection import attach, engine
from store.maintenance.lock import locked
from store.maintenance.log import log_files
from store.maintenance.scratch import make_empty
from store.maintenance.swap import replaced
from store.maintenance.union import Taken, take


@dataclass(frozen=True, slots=True)
class Merged:
    """What each of the merged stores has given, in their order, and how many outcomes the new store has."""

    taken: tuple[Taken, ...]
    outcomes: int


def merge(
    inputs: Sequence[Path], output: Path, *, force: bool, patience: float, on_wait: OnWait | None = None
) -> Merged:
    """Write a store that has all that several stores have. An outcome that several have is taken once.

    Args:
        inputs: the stores, which stay as they are unless ``output`` is one of them.
        output: the new store, which is written whole or not at all.
        force: replace the file that is there.
        patience: seconds to wait while another program holds one of the files.
        on_wait: hears who that is, if it takes longer than 2 seconds.

    Raises:
        CornerstoneError: a file is no store, is damaged or stays in use; two stores contradict each other; or
            ``output`` exists or cannot be written. Nothing is changed then.
    """
    is_there(output)
    refuse_target(output, force=force, over_store=True)
    for path in inputs:
        refuse_other_files(path)
    files = [path.resolve() for path in inputs]
    for path in files:
        if files.count(path) > 1:
            raise CornerstoneError(f"{shown(path)} is named twice")
    target = output.resolve()
    if log_files(target) and not target.exists():
        raise CornerstoneError(f"{shown(log_files(target)[0])} is left of another store; move it, or name another file")
    for path in files:
        with reading(path, patience, on_wait):
            pass  # brings an older store up to date
        report = check(path, patience, on_wait)
        if report.problems:
            raise CornerstoneError(f"{shown(path)} is damaged: {report.problems[0]}", Mend.SALVAGE_STORE, path)
    try:
        found: Merged = apart(_merge, files, target, patience, on_wait=on_wait)
    except CrashError as crash:
        raise CornerstoneError(f"cannot merge the stores, so {shown(output)} was not written: {crash}") from crash
    except OSError as error:
        raise CornerstoneError(f"cannot write {shown(output)}: {cause_of(error)}") from error
    return found


def _merge(tell: Tell, inputs: Sequence[Path], output: Path, patience: float) -> Merged:
    with ExitStack() as stack:
        spill = Path(stack.enter_context(TemporaryDirectory(dir=output.parent, prefix=".cornerstone-")))
        old = (
            stack.enter_context(locked(output, wait_for(output, patience, tell), alone=True))
            if output.exists()
            else None
        )
        for path in inputs:
            if path != output:
                stack.enter_context(locked(path, wait_for(path, patience, tell)))
        db = stack.enter_context(engine(spill))
        names = _attach_all(db, inputs, output)
        with replaced(output, old) as fresh:
            make_empty(fresh, f"cannot write {shown(output)}")
            attach(db, fresh, "merged", read_only=False)
            taken = tuple(take(db, name, path) for name, path in zip(names, inputs, strict=True))
            (outcomes,) = db.execute("SELECT count(*) FROM merged.outcomes").fetchone() or (0,)
            db.execute("CHECKPOINT merged")
    return Merged(taken, int(outcomes))


def _attach_all(db: duckdb.DuckDBPyConnection, inputs: Sequence[Path], output: Path) -> list[str]:
    """Attach the inputs; they stay attached, because to detach one is to give up its lock."""
    names = [f"input{at}" for at in range(len(inputs))]
    for name, path in zip(names, inputs, strict=True):
        attach(db, path, name, read_only=path != output)
        if path == output:
            db.execute(f"CHECKPOINT {name}")
    return names
