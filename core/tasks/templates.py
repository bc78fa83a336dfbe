"""lm-eval compiles a task's templates anew for each document that it renders or scores, which takes a millisecond."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from lm_eval import utils


@contextmanager
def compiled_once() -> Iterator[None]:
    """Inside the block each template is compiled once. What it renders is the same."""
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
