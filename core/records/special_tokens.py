"""Tell whether an old file of special tokens says anything that newer files do not say too.

Transformers reads added_tokens.json and special_tokens_map.json only where tokenizer_config.json has no
``added_tokens_decoder``. Most of them repeat what the newer files say, and then change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def names_more(special_tokens: Mapping[str, Any], tokenizer_config: Mapping[str, Any]) -> bool:
    """Return whether special_tokens_map.json has a token that tokenizer_config.json lacks or has otherwise."""
    return any(_plain(token) != _plain(tokenizer_config.get(key)) for key, token in special_tokens.items())


def adds_more(added_tokens: Mapping[str, Any], tokenizer: Mapping[str, Any]) -> bool:
    """Return whether added_tokens.json has a token that tokenizer.json lacks or has under another number."""
    known = tokenizer.get("added_tokens")
    entries = [one for one in known if isinstance(one, dict)] if isinstance(known, list) else []
    numbers = {str(one.get("content")): one.get("id") for one in entries}
    return any(numbers.get(token) != number for token, number in added_tokens.items())


def _plain(token: Any) -> Any:
    """Return a token's text, and which space beside it the token takes in; a list of tokens as a list of those."""
    match token:
        case str():
            return (token, False, False)
        case {"content": content}:
            return (content, bool(token.get("lstrip")), bool(token.get("rstrip")))
        case list():
            return [_plain(one) for one in token]
    return token
