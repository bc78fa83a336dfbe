"""Keep outcomes while the store cannot be written: a write-behind recorder, and the spool it falls back to."""
