"""Templates of tasks: rendered in a sandbox, and compiled once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from jinja2.sandbox import SandboxedEnvironment
from lm_eval import utils


def sandbox_templates() -> None:
    """Let lm-eval render templates in a sandbox from now on, because those of a user's task come from a file.

    In lm-eval's own environment a template may reach any function of Python. What the templates of lm-eval's tasks
    make stays the same.
    """
    known = utils.env
    if isinstance(known, SandboxedEnvironment):
        return
    sandbox = SandboxedEnvironment(
        loader=known.loader, undefined=known.undefined, keep_trailing_newline=known.keep_trailing_newline
    )
    sandbox.filters.update(known.filters)
    utils.env = sandbox


@contextmanager
def compiled_once() -> Iterator[None]:
    """Compile each template only once inside the block, because lm-eval compiles it for each document (about a ms)."""
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
