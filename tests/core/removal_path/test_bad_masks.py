"""Mask files with something wrong in them: one sentence each, whatever it is."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from core.errors import CornerstoneError
from core.removal_path.mask_file import Evidence, MaskedModel, Saved, mask_of, read, write
from tests.support.bad_inputs import bad_masks

MODEL = MaskedModel("tiny", "/models/tiny", None, "f" * 8, "float32", "llama", (("attn", "ffn"),) * 4)
EVIDENCE = Evidence(("agreement",), "acc", "held out", 9, 0.9, 0.8, 0.7, 0.9, 0.1, 0.0, 0.2, "by hand")


@pytest.mark.parametrize("seed", range(3))
def test_every_bad_mask_is_one_sentence(seed: int, tmp_path: Path) -> None:
    good = tmp_path / "good.json"
    write(mask_of(MODEL, (0, 3), (EVIDENCE,), Saved(10, 100, 10, 100)), good)
    content = json.loads(good.read_bytes())
    assert read(good).numbers == (0, 3)
    bad = tmp_path / "bad.json"
    for name, text in bad_masks(seed, content):
        bad.write_bytes(text)
        said = refusal_of(bad)
        assert said is not None, name
        assert str(bad) in said, name
        assert len(said) < 600, name


def refusal_of(path: Path) -> str | None:
    """Return why a mask is refused; None if it is not."""
    try:
        read(path)
    except CornerstoneError as error:
        return str(error)
    return None


def test_a_mask_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "mask.json")
    with pytest.raises(CornerstoneError, match="it is a pipe"):
        read(tmp_path / "mask.json")
