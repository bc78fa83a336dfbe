"""The entry point of the `cornerstone` command. An error that a user can mend is one sentence, and exit code 2."""

from __future__ import annotations

import sys

from tui.commands.exit import for_people


def main() -> None:
    """Run the command line."""
    with for_people():
        # Plugins add options, so any command refuses a plugin that cannot be used here.
        from tui.commands.app import app

        sys.exit(app(prog_name="cornerstone", standalone_mode=False))
