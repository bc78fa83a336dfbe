from __future__ import annotations

from hypothesis import settings

# How long an example takes is the machine's business, not a law.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")
