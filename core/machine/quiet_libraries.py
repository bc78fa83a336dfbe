"""Silence libraries that print progress bars and warnings which do not concern the user."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# Transformers logs what is wrong with a file, over many lines, and then raises an error that says the same.
_TALKATIVE = {
    "lm_eval": logging.ERROR,
    "datasets": logging.ERROR,
    "transformers": logging.CRITICAL,
    "huggingface_hub": logging.ERROR,
    "accelerate": logging.ERROR,
}


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Let libraries report only errors that they do not raise, and show no progress bars, inside the block."""
    import datasets
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
    from transformers.utils import logging as transformers_logging

    levels = {name: logging.getLogger(name).level for name in _TALKATIVE}
    hub_bars, data_bars = not are_progress_bars_disabled(), datasets.is_progress_bar_enabled()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        for name, level in _TALKATIVE.items():
            logging.getLogger(name).setLevel(level)
        disable_progress_bars()
        datasets.disable_progress_bars()
        transformers_logging.disable_progress_bar()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        transformers_logging.enable_progress_bar()
        if hub_bars:
            enable_progress_bars()
        if data_bars:
            datasets.enable_progress_bars()
