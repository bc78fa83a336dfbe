"""The explorer's widgets, one per file. A widget draws what it is given, and asks for nothing."""
