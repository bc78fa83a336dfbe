"""Fetches the default model into the user's cache, before tests that share it start side by side."""

from __future__ import annotations

from pathlib import Path

from core.config.model_config import DEFAULT_MODEL
from core.engine.fetch import find_model


def default_model() -> Path:
    return find_model(DEFAULT_MODEL, revision=None, offline=False, narrate=print).folder


if __name__ == "__main__":
    print(default_model())
