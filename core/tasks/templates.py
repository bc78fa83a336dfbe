"""Compile a task's templates once, because lm-eval compiles them again for each document (about a millisecond)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from lm_eval import utils


@contextmanager
def compiled_once() -> Iterator[None]:
    """Compile each template only once inside the block. The rendered text stays the same."""
    environment = utils.env
    before = vars(environment).get("from_string")
    environment.from_string = cache(environment.from_string)
    try:
        yield
    finally:
        if before is None:
            del environment.from_string
        else:
            environment.from_string = before
