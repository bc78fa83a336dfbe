"""Experts that were verified as players before, kept in the user's cache beside the layouts. Light to import."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from core.coalitions.expert_layers import chosen_layers, in_ranges, refuse_too_many
from core.coalitions.players import layers_of_experts
from core.machine.cached_fact import keep_fact, read_fact
from core.models.known_layout import about, fact_file, keep_kinds
from core.models.layout import ExpertForm, Experts, Layout


def known_experts(fingerprint: str, place: str, layout: Layout, layers: str) -> Layout | None:
    """Return a layout with the experts of some layers as players, as it was verified before; None if it was not.

    Args:
        fingerprint: the fingerprint of the model with its dtype, where its mixtures are players.
        place: the kind of device.
        layout: the layout with mixtures as players.
        layers: the layers, as ``core.coalitions.expert_layers`` writes them.

    Raises:
        CornerstoneError: the model has no such layers, no experts in one of them, or too many experts.
    """
    chosen = chosen_layers(layers, layout.kinds)
    asked = about(fingerprint=fingerprint, place=place, experts=in_ranges(chosen))
    file = fact_file(asked)
    found = None if file is None else _read(read_fact(file, asked), layout, chosen)
    if found is not None:
        refuse_too_many(layers, [layer.experts.count for layer in found.layers if layer.experts is not None])
    return found


def keep_experts(fingerprint: str, place: str, folder: Path, layout: Layout) -> None:
    """Keep the experts of a layout that were verified as players. Where that is not possible, nothing changes."""
    chosen = layers_of_experts(layout.kinds)
    asked = about(fingerprint=fingerprint, place=place, experts=in_ranges(chosen))
    kept = [
        [layer.experts.path, layer.experts.form, layer.experts.count, layer.passes]
        for layer in layout.layers
        if layer.experts is not None
    ]
    if (file := fact_file(asked)) is not None:
        keep_fact(file, asked, kept)
    keep_kinds(folder, layout.kinds)


def _read(fact: Any, layout: Layout, chosen: tuple[int, ...]) -> Layout | None:
    """Return a layout with the experts of a fact; None if it is not one."""
    made = list(layout.layers)
    try:
        for index, (path, form, count, passes) in zip(chosen, fact, strict=True):
            if form not in get_args(ExpertForm) or type(count) is not int or type(passes) is not bool:
                return None
            made[index] = replace(made[index].with_experts(Experts(str(path), form, count)), passes=passes)
    except (TypeError, ValueError):
        return None
    return replace(layout, layers=tuple(made))
