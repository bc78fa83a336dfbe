"""Make a data set of checked rows, in the form in which lm-eval's tasks expect one."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import datasets

SPLIT = "test"
"""The only split of such a data set."""


def dataset_of(rows: Sequence[Mapping[str, Any]]) -> datasets.DatasetDict:
    """Return a data set of rows whose fields each hold one kind of value.

    Text stays text, whatever it looks like. A field that a row lacks is None. Objects with different fields are kept
    as they are where ``datasets`` can do that (version 5), as its own reader of JSON does.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    columns = {name: [row.get(name) for row in rows] for name in names}
    make = datasets.Dataset.from_dict
    options = {"on_mixed_types": "use_json"} if "on_mixed_types" in inspect.signature(make).parameters else {}
    return datasets.DatasetDict({SPLIT: make(columns, **options)})
