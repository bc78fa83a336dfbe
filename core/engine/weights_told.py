"""Tell how many bytes of a model's weights are loaded, while transformers loads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from transformers.utils import logging

from core.machine.byte_count import Told

_WEIGHTS: Final = "Loading weights"
"""The title of transformers' progress bar over the weights. It counts pairs of a weight's name and a rule for it."""


@contextmanager
def weights_told(sizes: Mapping[str, int], told: Told) -> Iterator[None]:
    """Tell how far the loading of weights is, inside the block.

    Args:
        sizes: the bytes of each weight in the model's files, by name.
        told: hears how many bytes are loaded, and how many there are. What it raises ends the loading.
    """
    set_hook: Callable[[Any], Any] | None = getattr(logging, "set_tqdm_hook", None)
    if set_hook is None or not sizes:  # an older transformers does not tell
        yield
        return

    def bar(make: Callable[..., Any], given: tuple[Any, ...], settings: dict[str, Any]) -> Any:
        made = make(*given, **settings)
        return _Counted(made, sizes, told) if settings.get("desc") == _WEIGHTS else made

    before = set_hook(bar)
    try:
        yield
    finally:
        set_hook(before)


class _Counted:
    """A progress bar of transformers that counts the bytes of the weights it has gone over."""

    def __init__(self, bar: Any, sizes: Mapping[str, int], told: Told) -> None:
        self._bar = bar
        self._sizes = sizes
        self._told = told

    def __iter__(self) -> Iterator[Any]:
        total, done = sum(self._sizes.values()), 0
        usual = total // len(self._sizes)  # of a weight that is put together of several, and has another name
        for entry in self._bar:
            self._told(min(done, total), total)
            yield entry
            done += self._sizes.get(entry[0], usual) if isinstance(entry, tuple) else usual
        self._told(total, total)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bar, name)
