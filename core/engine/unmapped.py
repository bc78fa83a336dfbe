"""Read a model's files piece by piece where a limit on this process's data counts mapped files too."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from transformers import modeling_utils


@contextmanager
def unmapped_where_limited() -> Iterator[None]:
    """Have transformers read weights one by one inside the block, if this process has a limit on its data.

    Transformers maps all files of a model at once, privately and for writing, and such a map counts as data
    (``ulimit -d``), so that a model larger than the limit could not be loaded at all. On Windows, where maps count
    likewise, transformers reads them so by itself.
    """
    limit, _hard = resource.getrlimit(resource.RLIMIT_DATA)
    if limit == resource.RLIM_INFINITY:
        yield
        return
    mapped = modeling_utils.safe_open
    modeling_utils.safe_open = partial(_read, mapped)
    try:
        yield
    finally:
        modeling_utils.safe_open = mapped


def _read(mapped: Callable[..., Any], file: str, **settings: Any) -> Any:
    # Versions of transformers that name no way to read may come with a safetensors that has no other.
    return mapped(file, **(settings | {"backend": "pread"} if "backend" in settings else settings))
