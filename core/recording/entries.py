"""The entries of a spool: writes as JSON, which is checked when it is read.

The documents of an assignment are written once, and other entries name them by a number. An entry of outcomes comes
after its run and its assignment, so a spool can be stored in a file that knows nothing of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any, Literal

import pydantic

from core.coalitions.players import Removed, in_pairs
from core.recording.writes import Assign, Begin, Finish, Record, Write
from core.records.records import (
    Assignment,
    DataRecord,
    DocumentRecord,
    ModelRecord,
    Outcome,
    RunRecord,
    RunState,
    TaskRecord,
)

_Number = Annotated[int, pydantic.Field(ge=0, lt=2**31)]
_RunId = Annotated[str, pydantic.Field(min_length=1, max_length=64)]


class _Entry(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True, extra="forbid")


class _Begin(_Entry):
    kind: Literal["begin"]
    run: RunRecord


def _by_layer(model: Any) -> Any:
    """Return a model as it is told now: earlier programs told the kinds of its players in one row, two a layer."""
    match model:
        case {"kinds": [str(), *_] as kinds}:
            return {**model, "kinds": in_pairs(kinds)}
    return model


class _Documents(_Entry):
    kind: Literal["documents"]
    number: _Number
    model: Annotated[ModelRecord, pydantic.BeforeValidator(_by_layer)]
    task: TaskRecord
    data: DataRecord
    documents: tuple[DocumentRecord, ...]


class _Assign(_Entry):
    kind: Literal["assign"]
    run: _RunId
    documents: _Number
    coalitions: tuple[tuple[_Number, ...], ...]


class _Outcome(_Entry):
    document: str
    removed: tuple[_Number, ...]
    logprobs: tuple[float, ...]
    is_greedy: tuple[bool, ...]
    metrics: dict[str, float]
    other: dict[str, Any]


class _Record(_Entry):
    kind: Literal["record"]
    run: _RunId
    documents: _Number
    outcomes: tuple[_Outcome, ...]


class _Finish(_Entry):
    kind: Literal["finish"]
    run: _RunId
    state: RunState


_ENTRY: pydantic.TypeAdapter[_Begin | _Documents | _Assign | _Record | _Finish] = pydantic.TypeAdapter(
    Annotated[_Begin | _Documents | _Assign | _Record | _Finish, pydantic.Field(discriminator="kind")]
)
_RECORD: pydantic.TypeAdapter[_Record] = pydantic.TypeAdapter(_Record)


@dataclass(slots=True)
class Encoder:
    """Writes entries. It remembers what a spool has already."""

    _runs: set[str] = field(default_factory=set)
    _documents: dict[tuple[object, ...], int] = field(default_factory=dict)
    _assigned: set[tuple[str, int, tuple[Removed, ...]]] = field(default_factory=set)

    def copy(self) -> Encoder:
        return Encoder(set(self._runs), dict(self._documents), set(self._assigned))

    def entries(self, write: Write, run: RunRecord | None) -> Iterator[bytes]:
        """Yield the entries that a write needs, in order; the last is its own. ``run`` is the write's run, if known."""
        if run is not None and run.run_id not in self._runs:
            self._runs.add(run.run_id)
            yield _json({"kind": "begin", "run": asdict(run)})
        match write:
            case Assign(run_id, assignment):
                yield from self._assign(run_id, assignment)
            case Record(run_id, assignment, outcomes):
                yield from self._assign(run_id, assignment)
                number = self._documents[_identity(assignment)]
                told = [_outcome(outcome) for outcome in outcomes]
                yield _json({"kind": "record", "run": run_id, "documents": number, "outcomes": told})
            case Finish(run_id, state):
                yield _json({"kind": "finish", "run": run_id, "state": state})
            case Begin():
                pass

    def _assign(self, run_id: str, assignment: Assignment) -> Iterator[bytes]:
        identity = _identity(assignment)
        if identity not in self._documents:
            self._documents[identity] = len(self._documents)
            parts = {name: asdict(getattr(assignment, name)) for name in ("model", "task", "data")}
            documents = [asdict(document) for document in assignment.documents]
            number = self._documents[identity]
            yield _json({"kind": "documents", "number": number, **parts, "documents": documents})
        number, coalitions = self._documents[identity], tuple(assignment.coalitions)
        if (run_id, number, coalitions) not in self._assigned:
            self._assigned.add((run_id, number, coalitions))
            yield _json({"kind": "assign", "run": run_id, "documents": number, "coalitions": coalitions})


@dataclass(slots=True)
class Decoder:
    """Reads entries of one spool, in order."""

    _documents: dict[int, _Documents] = field(default_factory=dict)

    def write(self, entry: bytes) -> Write | None:
        """Return the write of an entry; None if it only has documents for later ones.

        Raises:
            ValueError: it is no such entry, or names documents that no entry before it had.
        """
        found = _ENTRY.validate_json(entry)
        match found:
            case _Documents():
                self._documents[found.number] = found
                return None
            case _Begin():
                return Begin(found.run)
            case _Assign():
                return Assign(found.run, self._assignment(found.documents, found.coalitions))
            case _Record():
                outcomes = [_plain_outcome(outcome) for outcome in found.outcomes]
                assignment = self._assignment(found.documents, ())
                known = {document.key for document in assignment.documents}
                if any(outcome.document not in known for outcome in outcomes):
                    raise ValueError("an outcome of another document")
                return Record(found.run, assignment, outcomes)
            case _Finish():
                return Finish(found.run, found.state)

    def _assignment(self, number: int, coalitions: Sequence[Removed]) -> Assignment:
        if number not in self._documents:
            raise ValueError("the documents of an entry are missing")
        documents = self._documents[number]
        return Assignment(documents.model, documents.task, documents.data, documents.documents, coalitions)


def outcomes_of(entry: bytes) -> list[Outcome]:
    """Return the outcomes of an entry that records some.

    Raises:
        ValueError: it is no such entry.
    """
    return [_plain_outcome(outcome) for outcome in _RECORD.validate_json(entry).outcomes]


def _identity(assignment: Assignment) -> tuple[object, ...]:
    keys = tuple((document.key, document.doc_id) for document in assignment.documents)
    return assignment.model.fingerprint, assignment.task.fingerprint, assignment.data.fingerprint, keys


def _outcome(outcome: Outcome) -> dict[str, object]:
    return {
        "document": outcome.document,
        "removed": outcome.removed,
        "logprobs": outcome.logprobs,
        "is_greedy": outcome.is_greedy,
        "metrics": {name: float(value) for name, value in outcome.metrics.items()},
        "other": {name: _plain(value) for name, value in outcome.other.items()},
    }


def _plain_outcome(found: _Outcome) -> Outcome:
    return Outcome(found.document, found.removed, found.logprobs, found.is_greedy, found.metrics, found.other)


def _plain(value: object) -> object:
    match value:
        case Mapping():
            return {str(name): _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)


def _json(entry: Mapping[str, object]) -> bytes:
    """Return JSON in UTF-8; unpaired surrogates are replaced, as they are where the store keeps texts."""
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
