"""The user interface: the command line and the explorer. It imports store and core."""
