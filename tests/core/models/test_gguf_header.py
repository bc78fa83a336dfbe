"""Damaged GGUF files are refused by their headers, whatever these say, and good ones pass."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from core.errors import CornerstoneError
from core.models.gguf_header import check_gguf
from tests.support.bad_gguf import drawn_faults, header_faults
from tests.support.small_gguf import small_gguf
from tests.support.small_model import LAYERS, small_weights

# Transformers knows which architectures it reads, and which vocabulary they need.
_LATER = ("architecture unknown", "no vocabulary", "a tensor of another name")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_gguf(tmp_path_factory.mktemp("gguf") / "good.gguf")


def test_a_good_file_passes_with_the_sizes_of_its_tensors(good: Path) -> None:
    header = check_gguf(good)
    assert sorted(header.sizes.values()) == sorted(weight.size for weight in small_weights().values())
    assert (header.architecture, header.layers) == ("llama", LAYERS)


@pytest.mark.parametrize("seed", [0, 1])
def test_damage_is_refused_in_a_sentence(seed: int, good: Path, tmp_path: Path) -> None:
    content = good.read_bytes()
    for name, bad in {**header_faults(content), **drawn_faults(random.Random(seed), content)}.items():
        if name in _LATER:
            continue
        (tmp_path / "bad.gguf").write_bytes(bad)
        began = time.process_time()
        with pytest.raises(CornerstoneError, match=r"^cannot read .*bad\.gguf as a GGUF model \(.+\)$"):
            check_gguf(tmp_path / "bad.gguf")
        assert time.process_time() - began < 10, name


@pytest.mark.parametrize("count", [0, 1, 3, 10_000_000])
def test_the_number_of_layers_is_that_of_the_tensors(count: int, tmp_path: Path) -> None:
    with pytest.raises(CornerstoneError, match=r"block_count is|layers, and it holds weights of 2"):
        check_gguf(small_gguf(tmp_path / "m.gguf", block_count=count))


def test_tensors_may_not_lie_on_each_other(good: Path, tmp_path: Path) -> None:
    content = good.read_bytes()
    # The second tensor of the table is moved to where the first one is.
    place = content.index(b"output.weight") + len(b"output.weight") + 4 + 2 * 8 + 4
    bad = content[:place] + bytes(8) + content[place + 8 :]
    (tmp_path / "bad.gguf").write_bytes(bad)
    with pytest.raises(CornerstoneError, match="has a shape or place that cannot be"):
        check_gguf(tmp_path / "bad.gguf")
