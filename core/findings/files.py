"""The files of findings: one each, in a folder of the user's state that belongs to a store.

They are not in the store, because it holds what was evaluated, and a finding is computed: a path from stored outcomes,
which another search of it does not evaluate again, and proxies from one pass of the intact model.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import platformdirs
import pydantic

from core.errors import CornerstoneError
from core.findings.finding import Finding, PathFinding, ProxyFinding
from core.machine.private_file import write_private
from core.machine.small_file import read_small
from core.recording.spool_folder import key_of

_MOST_BYTES: Final = 2**24
_FINDING: Final[pydantic.TypeAdapter[Finding]] = pydantic.TypeAdapter(Finding)


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings of a store, the latest first. ``faults`` has a sentence for each file that cannot be read."""

    paths: tuple[PathFinding, ...] = ()
    proxies: tuple[ProxyFinding, ...] = ()
    faults: tuple[str, ...] = ()


def findings_folder(store: Path) -> Path:
    """Return the folder of a store's findings (``XDG_STATE_HOME`` applies)."""
    return Path(platformdirs.user_state_dir("cornerstone", appauthor=False)) / "findings" / key_of(store)


def keep(store: Path, finding: PathFinding | ProxyFinding) -> None:
    """Write a finding, in place of an earlier one of the same model, tasks, documents and settings.

    Raises:
        CornerstoneError: it cannot be written.
    """
    path = findings_folder(store) / f"{finding.key}.json"
    try:
        write_private(path, finding.model_dump_json().encode(), flush=True)
    except OSError as error:
        raise CornerstoneError(f"cannot write {path}: {error.strerror}") from error


def read_findings(store: Path) -> Findings:
    """Return the findings of a store; none if there are none."""
    paths: list[PathFinding] = []
    proxies: list[ProxyFinding] = []
    faults: list[str] = []
    for file in sorted(findings_folder(store).glob("*.json")):
        try:
            found = _FINDING.validate_json(read_small(file, str(file), _MOST_BYTES))
        except FileNotFoundError:
            continue
        except CornerstoneError as error:
            faults.append(str(error))
        except pydantic.ValidationError:
            faults.append(f"{file} is no finding of this version of Cornerstone, so it is not shown")
        else:
            (paths if isinstance(found, PathFinding) else proxies).append(found)  # type: ignore[arg-type]
    return Findings(
        tuple(sorted(paths, key=lambda each: each.made, reverse=True)),
        tuple(sorted(proxies, key=lambda each: each.made, reverse=True)),
        tuple(faults),
    )
