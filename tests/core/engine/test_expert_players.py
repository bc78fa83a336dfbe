"""Experts as players: every MoE decoder of transformers equals the plain model without the experts' weights."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from core.coalitions.players import Removed
from core.engine.expert_players import with_expert_players
from core.models.layout import Layout
from tests.support.decoder_expected import OF_DECODERS, OF_VARIANTS, OF_WRAPPERS
from tests.support.decoder_types import tiny_decoder
from tests.support.decoder_variants import VARIANTS
from tests.support.expert_truth import assert_experts_exact
from tests.support.swept import layout_in_use, some_documents

FAST = {"dbrx", "gpt_oss", "granitemoeshared", "jetmoe", "llama4_text", "longcat_flash"}
"""Types that stand for the others: each form of experts, with and without biases, shared and identical experts."""
MIXTURES = [name for name, expected in {**OF_DECODERS, **OF_WRAPPERS, **OF_VARIANTS}.items() if "M" in expected.kinds]


def _cases(names: Iterable[str]) -> list[object]:
    return [pytest.param(name, marks=() if name in FAST else pytest.mark.slow) for name in names]


@pytest.mark.parametrize("name", _cases(MIXTURES))
def test_a_type_with_experts_equals_the_plain_model_without_their_weights(name: str) -> None:
    kind, settings = VARIANTS.get(name, (name, {}))
    model = tiny_decoder(kind, **settings)
    plain = layout_in_use(model)
    layout = with_expert_players(model, plain, "all")
    assert layout.way == plain.way
    assert_experts_exact(model, layout, plain, some_documents(5), _coalitions(layout))


def _coalitions(layout: Layout) -> list[Removed]:
    """Return the experts of the first layer that has some, each alone; windows and other sets; all players."""
    index, first = next((at, layer) for at, layer in enumerate(layout.layers) if layer.experts is not None)
    assert first.experts is not None
    start = layout.starts[index] + [sublayer.expert for sublayer in first.sublayers].index(0)
    experts = range(start, start + first.experts.count)
    total = layout.starts[-1]
    drawn = random.Random(0)
    several = [tuple(sorted(drawn.sample(range(total), size))) for size in (2, 3, 5, total // 2)]
    windows = [tuple(range(max(start - 2, 0), start + 2)), tuple(range(total - 3, total))]
    return [(), *((expert,) for expert in experts), tuple(experts), *windows, *several, tuple(range(total))]
