"""The libraries that a fresh Python has loaded after it imported some modules."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

HEAVY = ("torch", "transformers", "lm_eval", "datasets", "scipy", "pandas", "matplotlib")

_PROGRAM = """
import importlib, json, sys
modules, watched = json.loads(sys.argv[1])
found = {}
for module in modules:
    importlib.import_module(module)
    found[module] = [name for name in watched if name in sys.modules]
print(json.dumps(found))
"""


def loaded_after(modules: Sequence[str], watched: Sequence[str]) -> dict[str, list[str]]:
    """Import the modules in order in one fresh Python; return the watched libraries loaded after each."""
    question = json.dumps([list(modules), list(watched)])
    done = subprocess.run([sys.executable, "-c", _PROGRAM, question], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)
