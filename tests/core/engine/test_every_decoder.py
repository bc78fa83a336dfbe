"""Every decoder type of transformers: the sweep equals the plain model, or the type is refused by the law it breaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode
from transformers import PreTrainedModel

from core.engine.widths import longest_row, picks_among
from core.errors import CornerstoneError
from core.models.architectures import auto_class_name
from tests.support.decoder_expected import OF_DECODERS, OF_VARIANTS, OF_WRAPPERS, Expected
from tests.support.decoder_types import DECODERS, DRAFT_HEADS, ENCODER_DECODERS, ENCODERS, WRAPPERS, tiny_decoder
from tests.support.decoder_variants import VARIANTS
from tests.support.swept import (
    assert_exact,
    count_players,
    layout_in_use,
    some_coalitions,
    some_documents,
    swept,
    truth,
)

README = Path(__file__).parents[3] / "README.md"
FAST = {
    "bitnet", "bloom", "cohere", "deepseek_v3", "deepseek_v4", "falcon", "falcon_h1: multipliers", "gemma3_text",
    "gemma4_text", "gpt_neo", "gpt_oss", "granitemoehybrid", "hy_v4", "lfm2", "llama4_text", "longcat_flash",
    "mamba2", "mllama", "mpt", "nemotron_h", "olmo2", "openai-gpt", "opt", "phi", "qwen3_5_text", "zaya",
    "gemma4_text: shared keys", "phi3: longrope", "mistral3",
}  # fmt: skip
"""Types that stand for the others: each way, each law, each kind of player, each odd thing that a layer does."""
NEEDS_TIMM = {"gemma3n"}
NOT_IN_BFLOAT16 = {"xlstm"}
"""Types that transformers itself cannot compute in bfloat16."""


def _cases(names: Iterable[str]) -> list[object]:
    return [pytest.param(name, marks=() if name in FAST else pytest.mark.slow) for name in names]


def test_the_table_has_each_decoder_type_and_accepts_at_least_140() -> None:
    assert set(OF_DECODERS) == set(DECODERS)
    assert len(DECODERS) == 156
    ways = Counter(expected.way for expected in OF_DECODERS.values())
    accepted = ways.total() - ways["refused"]
    assert accepted >= 140, ways
    assert f"{accepted} of the {len(DECODERS)} decoder architectures" in README.read_text(encoding="utf-8")
    assert set(OF_WRAPPERS) == set(WRAPPERS)
    assert set(OF_VARIANTS) == set(VARIANTS)
    assert set(FAST) <= {*DECODERS, *WRAPPERS, *VARIANTS}


@pytest.mark.parametrize("name", _cases(name for name in DECODERS if name not in {*DRAFT_HEADS, *NEEDS_TIMM}))
def test_a_decoder_type(name: str) -> None:
    _check(tiny_decoder(name), OF_DECODERS[name])


@pytest.mark.parametrize("name", _cases(WRAPPERS))
def test_the_text_stack_of_a_model_that_also_sees(name: str) -> None:
    _check(tiny_decoder(name), OF_WRAPPERS[name])


@pytest.mark.parametrize("name", _cases(VARIANTS))
def test_a_variant_of_a_type(name: str) -> None:
    kind, settings = VARIANTS[name]
    _check(tiny_decoder(kind, **settings), OF_VARIANTS[name])


def _check(model: PreTrainedModel, expected: Expected) -> None:
    if expected.refused:
        with pytest.raises(CornerstoneError, match=expected.refused):
            layout_in_use(model)
        return
    layout = layout_in_use(model)
    assert Expected.of(layout) == expected
    assert_exact(model, layout, some_documents(1), some_coalitions(count_players(layout)))


def test_types_that_are_no_decoders_are_refused_by_their_category() -> None:
    for names, category in ((ENCODERS, "is an encoder,"), (ENCODER_DECODERS, "is an encoder-decoder,")):
        for name in names:
            with pytest.raises(CornerstoneError, match=category):
                auto_class_name({"model_type": name}, "a folder")
    for name in DRAFT_HEADS:
        with pytest.raises(CornerstoneError, match=OF_DECODERS[name].refused):
            auto_class_name({"model_type": name}, "a folder")
    opened = {
        name: auto_class_name({"model_type": name}, "a folder")
        for name in (*DECODERS, *WRAPPERS)
        if name not in DRAFT_HEADS
    }
    assert {name for name, auto in opened.items() if auto == "AutoModelForImageTextToText"} == set(WRAPPERS)


def test_a_type_whose_eyes_need_a_package_that_may_lack() -> None:
    (name,) = NEEDS_TIMM
    if find_spec("timm") is None:
        with pytest.raises(ImportError, match=OF_DECODERS[name].refused):
            tiny_decoder(name)
    else:
        _check(tiny_decoder(name), OF_DECODERS["gemma3n_text"])


class _Picks(TorchFunctionMode):
    """Notes among how many things a model picks, and how many it picks, inside the block."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[int, int]] = set()

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        named = kwargs or {}
        if getattr(function, "__name__", "") == "topk":
            axis = named.get("dim", args[2] if len(args) > 2 else -1)
            self.seen.add((args[0].shape[axis], args[1] if len(args) > 1 else named["k"]))
        return function(*args, **named)


@pytest.mark.slow
def test_an_attention_that_picks_keys_says_how_many_by_a_setting_that_bounds_rows() -> None:
    every = {**OF_DECODERS, **OF_WRAPPERS, **OF_VARIANTS}
    picking = set()
    for name in (name for name, expected in every.items() if not expected.refused):
        kind, settings = VARIANTS.get(name, (name, {}))
        model = tiny_decoder(kind, **settings)
        seen = []
        for tokens in (41, 67):
            with torch.inference_mode(), _Picks() as picks:
                model(input_ids=torch.arange(3, 3 + tokens)[None], use_cache=False)
            seen.append(picks.seen)
        if seen[0] != seen[1]:  # among tokens, not among experts
            picking.add(name)
            bound = longest_row(model.config.get_text_config())
            # All are picked, or so many that longer rows are not shared; blocks of keys count as their keys.
            fewest = min((picked for among, picked in seen[1] - seen[0] if picked < among), default=67)
            assert picks_among(model.config.get_text_config(), 67) == (fewest < 67), name
            assert bound < 67 or fewest == 67, name
    assert {"deepseek_v32", "qwen4_exp_text", "doge: few keys", "minimax_m3_vl_text: blocks of keys"} <= picking


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, expected in OF_DECODERS.items() if not expected.refused])
def test_a_decoder_type_in_bfloat16(name: str) -> None:
    model = tiny_decoder(name).to(torch.bfloat16)
    if name in NOT_IN_BFLOAT16:
        with pytest.raises(CornerstoneError, match="fails on a plain text"):
            layout_in_use(model)
        return
    layout = layout_in_use(model)
    assert Expected.of(layout) == OF_DECODERS[name]
    documents, coalitions = some_documents(1), some_coalitions(count_players(layout))[:4]
    off = np.abs(swept(model, layout, documents, coalitions) - truth(model, layout, documents, coalitions))
    # A wrong mask changes scores by about 1. Where rounding chooses another expert, a few change too.
    assert np.median(off) <= 0.05
    assert off.mean() <= 0.1
