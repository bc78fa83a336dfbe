from __future__ import annotations

import pytest

from core.machine.json_text import load_json

REFUSED = {
    "cut off": b'{"a": ',
    "deep": b"[" * 100_000,
    "deep and whole": b"[" * 5000 + b"]" * 5000,
    "a key twice": b'{"a": 1, "a": 2}',
    "many digits": b'{"a": ' + b"9" * 5000 + b"}",
    "no UTF-8": b'{"a": "\xe9"}',
    "nothing": b"",
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_is_wrong_is_a_value_error(fault: str) -> None:
    with pytest.raises(ValueError, match=r"\w") as error:
        load_json(REFUSED[fault])
    assert len(str(error.value)) < 300


def test_json_is_read() -> None:
    assert load_json('{"a": [1, -2.5, null, "é"]}') == {"a": [1, -2.5, None, "é"]}
