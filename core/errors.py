"""The one exception that people are meant to read."""


class CornerstoneError(Exception):
    """Something the user can mend. The message is one sentence: what happened, to which thing, what to do.

    The command line prints it without a traceback and exits with 2.
    """


class InUseError(CornerstoneError):
    """Something is in use by another program: the same call may work later."""
