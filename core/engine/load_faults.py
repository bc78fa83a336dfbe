"""Say in one sentence why transformers cannot load a model or a tokenizer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from json import JSONDecodeError

from core.engine.own_code import forbid_own_code
from core.errors import CornerstoneError
from core.models.foreign_code import own_code_error

_LONGEST = 300


@contextmanager
def load_faults(what: str, name: str) -> Iterator[None]:
    """Turn whatever a library raises inside the block into one sentence. No code of a model is run in it.

    Args:
        what: what is loaded and from where, as in ``llama from /models/llama``.
        name: the name of the model, or the path of its file.

    Raises:
        CornerstoneError: something was raised.
    """
    forbid_own_code()
    try:
        yield
    except CornerstoneError:
        raise
    except Exception as error:  # libraries raise all kinds for a damaged folder, plain Exception too
        if "trust_remote_code=True" in str(error):
            raise own_code_error(name) from error
        if isinstance(error, MemoryError) or "not enough memory" in str(error) or "can't allocate" in str(error):
            raise CornerstoneError(f"{name} does not fit into this machine's memory") from error
        raise CornerstoneError(f"cannot load {what}: {gist(error)}") from error
    except BaseException as error:
        if is_panic(error):
            raise CornerstoneError(f"cannot load {what}: {gist(error)}") from error
        raise


def is_panic(error: BaseException) -> bool:
    """Return whether an error is a fault in Rust, which tokenizers and safetensors are written in.

    It is no ``Exception``, so that what catches all of these lets it through.
    """
    return type(error).__name__ == "PanicException"


def gist(error: BaseException) -> str:
    """Return the first line of what an error says, or all of it in one line if its first line ends with a colon."""
    text = str(error).strip()
    first = text.partition("\n")[0]
    said = (" ".join(text.split()) if first.rstrip().endswith(":") else first)[:_LONGEST]
    if isinstance(error, KeyError):
        return f"it lacks {said}, or names it and transformers does not know it"
    if isinstance(error, TypeError | AttributeError | IndexError | RecursionError | UnicodeError | JSONDecodeError):
        return f"a file is damaged, or has values of a wrong type ({said})"
    return said or type(error).__name__
