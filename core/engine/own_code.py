"""Keep transformers from running code that comes with a model.

``trust_remote_code=False`` is not enough: a tokenizer's configuration may name any class of transformers, such as a
processor, and that class then loads its parts without passing the setting on.
"""

from __future__ import annotations

from typing import Any, NoReturn

from transformers import PreTrainedTokenizerBase, dynamic_module_utils
from transformers.models.auto.tokenization_auto import tokenizer_class_from_name

from core.errors import CornerstoneError


def forbid_own_code() -> None:
    """Let transformers refuse code that comes with a model, wherever it comes upon it in this process."""
    dynamic_module_utils.TIME_OUT_REMOTE_CODE = 0  # it then asks nobody, and takes that for a no
    dynamic_module_utils.get_class_in_module = _refuse


def refuse_other_class(name: object, where: str) -> None:
    """Raise if a tokenizer's class is a class of transformers that is no tokenizer.

    Unknown names pass, and classes whose library is not installed: transformers says which one.

    Args:
        name: what the tokenizer's configuration names.
        where: the tokenizer, for messages.

    Raises:
        CornerstoneError: loading it would load something else.
    """
    named = tokenizer_class_from_name(name) if isinstance(name, str) and name else None
    if named is None or hasattr(named, "_backends"):
        return
    if not (isinstance(named, type) and issubclass(named, PreTrainedTokenizerBase)):
        raise CornerstoneError(f"{where} cannot be loaded: its class {str(name)[:80]!r} is no tokenizer")


def _refuse(*_given: Any, **_options: Any) -> NoReturn:
    raise ValueError("this needs trust_remote_code=True, which is never given")
