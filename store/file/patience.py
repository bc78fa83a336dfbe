"""How long a store in use is waited for. Light to import, because every command has it as the default of an option."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

PATIENCE_S: Final = 30.0
"""The seconds to wait, where nothing else is asked for."""

OnWait = Callable[[str], None]
"""Hears a sentence when a store has been waited for a while."""
