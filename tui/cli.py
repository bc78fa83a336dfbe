"""The entry point of the `cornerstone` command. An error that a user can mend is one sentence, and exit code 2."""

from __future__ import annotations

import sys

from tui.interrupt import INTERRUPTED, owns_process, stop_at_once


def main() -> None:
    """Run the command line."""
    alone = owns_process()
    if alone:
        stop_at_once()
    from tui.broad_net import DEBUG, broad_net

    # Everything else is loaded in the net, which also catches what goes wrong then.
    with broad_net(whole_process=alone):
        from tui.commands.exit import for_people, refuse_odd_arguments

        with for_people():
            refuse_odd_arguments(sys.argv[1:])
            # Plugins add options, so any command refuses a plugin that cannot be used here.
            from tui.commands.app import app

            # Any command may be followed by --debug, which the net looks for.
            arguments = [argument for argument in sys.argv[1:] if argument != DEBUG]
            code = app(arguments, prog_name="cornerstone", standalone_mode=False)
            if code == INTERRUPTED and alone:  # typer turns Ctrl+C into this
                raise KeyboardInterrupt
            sys.exit(code)
