"""Find the results of the same model in several number formats, such as float32 and bfloat16.

The fingerprint of a model covers its number format, so a model in two formats is two models of a store. They are the
same model if their weights came from the same place at the same revision, and they have the same players.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Final

import duckdb

from core.coalitions.players import Kinds
from core.config.gap import Gap
from core.config.run_config import RunConfig
from core.estimators.question import Question
from store.reading.gaps import config_of
from store.reading.groups import Group

_FINEST_FIRST: Final = ("float32", "float64", "float16", "bfloat16")
"""The earliest of the formats that are there is the reference; one that is not listed comes after these."""


@dataclass(frozen=True, slots=True)
class InFormat:
    """The results of a model in one number format on one task, to be read by ``value``.

    ``dtype`` is the format, and ``origin`` where the weights came from, with their revision.
    """

    group: Group
    value: str
    dtype: str
    origin: tuple[str, str | None]

    @property
    def title(self) -> str:
        return f"{self.group.model_name} in {self.dtype} on {self.group.task_name}"

    def gap(self, found: Gap) -> Gap:
        """Return a gap of the group that names the number format, in its sentence and in the run that fills it."""
        what = found.what.replace(self.group.title, self.title, 1)
        fill = found.fill
        if isinstance(fill, RunConfig):
            fill = fill.model_copy(update={"dtype": self.dtype})
        return replace(found, what=what, fill=fill)

    def after(self, reference: InFormat, question: Question) -> RunConfig:
        """Return the run that asks a question of this format on the documents that the reference has."""
        config, own = config_of(reference.group), config_of(self.group)
        same = {key: getattr(own, key) for key in ("model", "revision", "adapter", "expert_layers")}
        return config.model_copy(update={**same, "dtype": self.dtype}).asking(question, None)


Pair = tuple[InFormat, InFormat]
"""The reference, and another number format of the same model on the same task."""


def in_formats(db: duckdb.DuckDBPyConnection, asked: Sequence[tuple[Group, str]]) -> list[InFormat]:
    """Return each group, with the value that it is read by, in its number format."""
    rows = db.execute("SELECT model, dtype, source, revision FROM models").fetchall()
    known = {model: (str(dtype), (str(source), revision)) for model, dtype, source, revision in rows}
    return [InFormat(group, value, *known[group.model]) for group, value in asked]


def paired(found: Sequence[InFormat], chosen: Collection[str] | None, reference: Collection[str] | None) -> list[Pair]:
    """Return the pairs to compare, in the order of tasks and models.

    Args:
        found: all results, each in its number format.
        chosen: ids of models, one of which has to be in each pair, and is its second where there is a reference; None
            for all.
        reference: ids of models that are the first of each pair, whatever their weights; None for every two formats of
            the same model.
    """
    return [pair for group in _comparable(found).values() for pair in _pairs(group, chosen, reference)]


def _comparable(found: Sequence[InFormat]) -> Mapping[tuple[str, str, Kinds], list[InFormat]]:
    """Return the results by task, value and players, the finest format first."""
    order = {dtype: at for at, dtype in enumerate(_FINEST_FIRST)}
    tasks: dict[tuple[str, str, Kinds], list[InFormat]] = defaultdict(list)
    for each in sorted(found, key=lambda one: (order.get(one.dtype, len(order)), one.dtype)):
        tasks[each.group.task_id, each.value, each.group.kinds].append(each)
    names = sorted(tasks, key=lambda key: (tasks[key][0].group.model_name, tasks[key][0].group.task_name))
    return {key: tasks[key] for key in names}


def _pairs(
    group: Sequence[InFormat], chosen: Collection[str] | None, reference: Collection[str] | None
) -> Iterator[Pair]:
    """Yield the pairs of results on one task, of models with the same players."""
    for one, other in combinations(group, 2):
        ids = (one.group.model_id, other.group.model_id)
        if reference is not None:
            first, second = (one, other) if ids[0] in reference else (other, one)
            named = first.group.model_id in reference and second.group.model_id not in reference
            if named and (chosen is None or second.group.model_id in chosen):
                yield first, second
        elif one.origin == other.origin and one.dtype != other.dtype and (chosen is None or set(ids) & set(chosen)):
            yield one, other


def alone(found: Sequence[InFormat], pairs: Sequence[Pair], chosen: Collection[str] | None) -> Iterator[Gap]:
    """Yield a gap for all results that no pair has, with the run that would make one.

    Where there are pairs, a model that is stored in one format throughout is no gap, unless it was chosen.
    """
    has = {(one.group.model, one.group.dataset) for pair in pairs for one in pair}
    compared = {one.origin for pair in pairs for one in pair}
    for each in found:
        wanted = (each.origin in compared or not pairs) if chosen is None else each.group.model_id in chosen
        if wanted and (each.group.model, each.group.dataset) not in has:
            fill = config_of(each.group).model_copy(update={"dtype": _another(each.dtype)})
            what = (
                f"{each.group.title}: it is stored in {each.dtype} alone, so there is no other number format to compare"
            )
            yield Gap(what, fill, each.group.writing)


def _another(dtype: str) -> str:
    return "bfloat16" if dtype == "float32" else "float32"


def doubtful(pairs: Sequence[Pair]) -> Iterator[str]:
    """Yield a sentence for each format in which a pair's model is stored twice: then its files have changed."""
    ids: dict[tuple[str, str, tuple[str, str | None], Kinds], set[str]] = defaultdict(set)
    for one in (one for pair in pairs for one in pair):
        ids[one.group.model_name, one.dtype, one.origin, one.group.kinds].add(one.group.model_id)
    for (name, dtype, *_), models in ids.items():
        if len(models) > 1:
            yield (
                f"{name} is stored as {len(models)} models in {dtype} ({', '.join(sorted(models))}): its files changed "
                "between runs, so a row may compare different weights, too; ids tell them apart"
            )
