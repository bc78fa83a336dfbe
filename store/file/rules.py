"""The rules that the rows of a sound store obey. Each is a condition in SQL for the rows that break it.

A check counts such rows, and a salvage leaves them out. After an error that may be of damage or of the program they
tell which it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, get_args

from core.coalitions.players import LAYERS_BOUND, PlayerKind
from core.records.records import HIGHEST_LOGPROB
from core.tasks.entries import WRITES

_UNLIKE_LAYERS: Final = f"""(len(layers) <> len(kinds) OR list_count(layers) < len(layers)
    OR layers <> list_sort(layers) OR layers[1] < 0 OR layers[-1] >= {LAYERS_BOUND})"""
"""The condition for models whose layers are not those of their players, in the order in which these run."""

_UNKNOWN_KINDS: Final = f"len(list_filter(kinds, lambda kind: kind IS NULL OR kind NOT IN {get_args(PlayerKind)})) > 0"
"""The condition for models that have a player of no kind that there is."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the rows of ``table`` for which ``broken`` holds break it, in the words of ``said``.

    ``reads`` are the other tables that the condition reads. ``keep`` changes such rows so that they obey, in place of
    leaving them out. ``since`` is the version of the schema that the condition needs.
    """

    table: str
    said: str
    broken: str
    reads: tuple[str, ...] = ()
    keep: str | None = None
    since: int = 1


def _unresolved(table: str, column: str, other: str, keep: str | None = None) -> Rule:
    """Return the rule that a column names a row of another table, whose key has the same name."""
    article = "an" if other[0] in "aeiou" else "a"
    said = f"name {article} {other.removesuffix('s')} that the store does not have"
    return Rule(table, said, f"{column} NOT IN (SELECT {column} FROM {other})", (other,), keep)


def _twice(table: str, what: str, *key: str) -> Rule:
    """Return the rule that no two rows have the same key; the first row of a key stays."""
    names = ", ".join(key)
    repeated = f"SELECT {names} FROM {table} GROUP BY {names} HAVING count(*) > 1"
    first = f"SELECT min(rowid) FROM {table} WHERE ({names}) IN ({repeated}) GROUP BY {names}"
    return Rule(table, f"repeat {what}", f"({names}) IN ({repeated}) AND rowid NOT IN ({first})")


def _is_object(column: str) -> str:
    """Return the condition that a column holds a JSON object."""
    return f"(CASE WHEN json_valid({column}) THEN json_type({column}) = 'OBJECT' ELSE false END)"


RULES: Final = (
    _twice("models", "the number of another", "model"),
    _twice("models", "the fingerprint of another", "fingerprint"),
    Rule("models", "have no layers", "len(kinds) = 0"),
    Rule("models", "have players of an unknown kind", _UNKNOWN_KINDS),
    Rule("models", "do not have the layer of each player", _UNLIKE_LAYERS, since=2),
    _twice("tasks", "the number of another", "task"),
    _twice("tasks", "the fingerprint of another", "fingerprint"),
    _twice("datasets", "the number of another", "dataset"),
    _unresolved("datasets", "task", "tasks"),
    _twice("datasets", "the fingerprint of another of the same task", "task", "fingerprint"),
    _twice("documents", "the number of another", "document"),
    _unresolved("documents", "task", "tasks"),
    _twice("documents", "the key of another of the same task", "task", "key"),
    Rule(
        "documents",
        "have a right answer that is none of their choices",
        "len(list_filter(gold, lambda g: g IS NULL OR g < 0 OR g >= greatest(len(choices), 1))) > 0",
    ),
    _unresolved("members", "dataset", "datasets"),
    _unresolved("members", "document", "documents"),
    _twice("members", "another", "dataset", "doc_id", "document"),
    Rule(
        "members",
        "join a document to a data set of another task",
        """(dataset, document) NOT IN (SELECT (s.dataset, d.document) FROM datasets s JOIN documents d USING (task)
        JOIN members m ON m.dataset = s.dataset AND m.document = d.document)""",
        ("datasets", "documents"),
    ),
    _twice("coalitions", "the number of another", "coalition"),
    _twice("coalitions", "the removed layers of another", "removed"),
    Rule(
        "coalitions",
        "have removed layers that are no ascending numbers",
        "removed <> list_sort(list_distinct(removed)) OR coalesce(list_min(removed) < 0, false)",
    ),
    _twice("runs", "the name of another", "run"),
    Rule(
        "runs",
        "have a state that does not exist",
        "state NOT IN ('running', 'finished', 'stopped', 'cancelled', 'failed')",
    ),
    Rule("runs", "have a configuration that is no JSON", "NOT json_valid(config)", keep="config = '{}'"),
    Rule("runs", "have versions that are no JSON object", f"NOT {_is_object('versions')}", keep="versions = '{}'"),
    _unresolved("assignments", "run", "runs"),
    _unresolved("assignments", "model", "models"),
    _unresolved("assignments", "dataset", "datasets"),
    Rule(
        "assignments",
        "name documents that their data set does not have",
        """rowid IN (SELECT a.row FROM (SELECT rowid AS row, dataset, unnest(doc_ids) AS doc_id FROM assignments) a
        ANTI JOIN members m ON m.dataset = a.dataset AND m.doc_id = a.doc_id)""",
        ("members",),
        """doc_ids = list_intersect(doc_ids, (SELECT coalesce(list(m.doc_id), []) FROM members m
        WHERE m.dataset = assignments.dataset))""",
    ),
    Rule(
        "assignments",
        "name coalitions that the store does not have",
        """rowid IN (SELECT a.row FROM (SELECT rowid AS row, unnest(coalitions) AS coalition FROM assignments) a
        ANTI JOIN coalitions c ON c.coalition = a.coalition)""",
        ("coalitions",),
        "coalitions = list_intersect(coalitions, (SELECT coalesce(list(coalition), []) FROM coalitions))",
    ),
    _unresolved("outcomes", "model", "models"),
    _unresolved("outcomes", "document", "documents"),
    _unresolved("outcomes", "coalition", "coalitions"),
    _unresolved("outcomes", "run", "runs"),
    _twice("outcomes", "the model, document and coalition of another", "model", "document", "coalition"),
    Rule(
        "outcomes",
        "remove layers that their model does not have",
        """(model, coalition) IN (SELECT (m.model, c.coalition) FROM models m, coalitions c
        WHERE list_max(c.removed) >= len(m.kinds))""",
        ("models", "coalitions"),
    ),
    Rule(
        "outcomes",
        "have log-probabilities that are no numbers or above 0",
        f"len(list_filter(logprobs, lambda p: p IS NULL OR isnan(p) OR p > {HIGHEST_LOGPROB})) > 0",
    ),
    Rule("outcomes", "have answers and log-probabilities that differ in number", "len(logprobs) <> len(is_greedy)"),
    Rule(
        "outcomes",
        "have fewer log-probabilities than their document has choices",
        f"""len(logprobs) < (SELECT any_value(len(d.choices)) FROM documents d JOIN tasks t USING (task)
        WHERE d.document = outcomes.document AND t.output_type <> '{WRITES}')""",
        ("documents", "tasks"),
    ),
    Rule(
        "outcomes",
        "have scores that are no numbers",
        f"""NOT isfinite(coalesce(acc, 0)) OR NOT isfinite(coalesce(acc_norm, 0))
        OR (more IS NOT NULL AND NOT {_is_object("more")})
        OR NOT coalesce(json_valid(other), true)
        OR CASE WHEN json_valid(more) THEN len(list_filter(json_extract(more, '$.*'), lambda m:
            json_type(m) NOT IN ('DOUBLE', 'BIGINT', 'UBIGINT', 'HUGEINT', 'NULL'))) > 0 ELSE false END""",
    ),
)
"""All rules, in an order in which the rows that a rule reads obey theirs."""
