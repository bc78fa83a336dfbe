"""The numbers that the paper reports, to compare a reproduction with.

All shares and drops are fractions, not percent.

Source: Zhang, Dong, Kawaguchi, "Investigating Layer Importance in Large Language Models" (2024), Tables 1 to 4. The top
4 of Llama-3-70B is in the caption of its Figure 2. The number of documents comes from the authors' published code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

ZERO_SHOT = 0
DOCUMENTS = 1000

TASKS: Mapping[str, str] = MappingProxyType(
    {
        "boolq": "BoolQ",
        "piqa": "PIQA",
        "winogrande": "WinoGrande",
        "arc_easy": "ARC-Easy",
        "arc_challenge": "ARC-Challenge",
        "openbookqa": "OpenBookQA",
    }
)
"""The paper's tasks in the order of its Table 4: lm-eval's name, and the name to print."""


@dataclass(frozen=True, slots=True)
class Published:
    """The paper's numbers for one model.

    ``hub`` is the hub id of its weights, ``alias`` the name of the packaged model and study. ``top3`` is from Table 1,
    ``cornerstones`` from Table 2, ``cornerstone_drop`` and ``other_drop`` from Table 3, and ``other_drops`` by task
    from Table 4.
    """

    name: str
    alias: str
    hub: str
    players: int
    documents: int
    top3: float
    top4: float | None
    cornerstones: tuple[str, ...]
    cornerstone_drop: float
    other_drop: float
    other_drops: Mapping[str, float]


def _by_task(*drops: float) -> Mapping[str, float]:
    return MappingProxyType(dict(zip(TASKS, drops, strict=True)))


MODELS = (
    Published(
        name="Llama-3-8B",
        alias="llama-3-8b",
        hub="meta-llama/Meta-Llama-3-8B",
        players=64,
        documents=DOCUMENTS,
        top3=0.291,
        top4=None,
        cornerstones=("Attn 0", "FFN 0", "FFN 1"),
        cornerstone_drop=0.293,
        other_drop=0.016,
        other_drops=_by_task(0.028, 0.015, 0.004, 0.016, 0.026, 0.009),
    ),
    Published(
        name="Llama-3-70B",
        alias="llama-3-70b",
        hub="meta-llama/Meta-Llama-3-70B",
        players=160,
        documents=DOCUMENTS,
        top3=0.370,
        top4=0.476,
        cornerstones=("Attn 0", "FFN 0", "FFN 3"),
        cornerstone_drop=0.367,
        other_drop=0.009,
        other_drops=_by_task(0.011, 0.008, 0.006, 0.011, 0.016, 0.006),
    ),
    Published(
        name="Mixtral-8x7B",
        alias="mixtral-8x7b",
        hub="mistralai/Mixtral-8x7B-v0.1",
        players=64,
        documents=300,
        top3=0.375,
        top4=None,
        # The paper's text names MoE 3 once, but its table has MoE 1.
        cornerstones=("Attn 0", "MoE 0", "MoE 1"),
        cornerstone_drop=0.235,
        other_drop=0.013,
        other_drops=_by_task(0.021, 0.010, 0.014, 0.012, 0.021, 0.004),
    ),
)


def published(model: str, players: int) -> Published | None:
    """Return the paper's numbers for a model, named by alias, hub id or folder; None for any other model.

    A model with another number of players is another model, whatever its name.
    """
    name = model.rstrip("/").rsplit("/", 1)[-1].casefold()
    for known in MODELS:
        if players == known.players and name in {known.alias, known.hub.rsplit("/", 1)[-1].casefold()}:
            return known
    return None
