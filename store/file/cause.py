"""Word an error of DuckDB for a sentence: the cause alone, without its class, its advice, and names of other files."""

from __future__ import annotations

import re

_CLASS = re.compile(r"^(?:[A-Za-z]+ Error: )+")
_ADVICE = re.compile(r"\. See also| This error signals| Original error|\n")
# The operating system's own words come last, after the name of a file.
_OF_SYSTEM = re.compile(r'"[^"]*": ([A-Z][a-zA-Z /\-]+)$')
_OF_DAMAGE = {
    "computed checksum": "the checksum of a part of it is wrong",
    "Could not read enough bytes": "a part of it is missing",
    "WAL does not match": "its log is of another file",
    "This WAL was created for": "its log is of another file",
    "Failure while replaying WAL": "its log cannot be read",
}


def cause_of(error: Exception) -> str:
    """Return the cause of an error in a few words."""
    text = _CLASS.sub("", _ADVICE.split(str(error).strip(), maxsplit=1)[0]).rstrip("!. ")
    for sign, words in _OF_DAMAGE.items():
        if sign in str(error):
            return words
    found = _OF_SYSTEM.search(text)
    return found[1] if found else text
