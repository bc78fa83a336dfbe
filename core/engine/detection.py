"""Find the players of a layer: the submodules without which it returns its input.

Nothing is known of the model's family. Submodules are silenced, one state is changed, and what follows is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, Literal

import torch
from torch import Tensor, nn

from core.coalitions.players import PlayerKind
from core.engine.kinds import called_attention, channel_kind, mixer_kind
from core.engine.probe import Exactness, Look, Probe, distance
from core.engine.silence import first_of
from core.errors import CornerstoneError
from core.models.families import Hint
from core.models.layout import Sublayer

Rest = Literal["nothing", "scale"]
"""What a layer does when its players are silent: nothing, bit by bit; or it scales and shifts each channel."""

_POKED: Final = (0, 4, 10)
"""Positions that are changed to see who looks at them: the border of a chunk hides one of them at most."""
_OPENED: Final = 3
"""Most submodules that are looked into at once."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The submodules of a layer that are its players, in the order in which they run, and those that only prepare."""

    needed: tuple[str, ...]
    other: tuple[str, ...]


def players_of_layer(model: nn.Module, probe: Probe, hint: Hint) -> tuple[Sublayer, ...]:
    """Return the players of a layer, in the order in which they run.

    Args:
        model: the model, whose name is no hint at kinds.
        probe: the layer.
        hint: what is known of the model's family.

    Raises:
        CornerstoneError: no submodules can be silenced so that the layer returns its input.
    """
    stays = held(probe.layer, hint.stays)
    found = _needed(probe, stays)
    told = [part for part in found.needed if part in hint.mixers or called_attention(model, probe.layer, part)]
    mixers = [part for part in found.needed if part in told or _mixes(probe, part, [*found.needed, *stays])]
    groups = _grouped(probe, found.needed, mixers)
    return tuple(
        Sublayer(_kind(model, probe, group, group[0] in mixers), group, _feeds(probe, found.other, group))
        for group in groups
    )


def rest_of(before: Tensor, after: Tensor) -> Rest | None:
    """Return what a layer whose players are silent does to its input; None if it is more than a scale and a shift."""
    if before.shape != after.shape or not bool(torch.isfinite(after).all()):
        return None
    if torch.equal(before, after) and before.dtype == after.dtype:
        return "nothing"
    # One line a channel through all tokens, by least squares.
    given, got = before.double().cpu().flatten(0, 1), after.double().cpu().flatten(0, 1)
    center, middle = given.mean(0), got.mean(0)
    spread = given - center
    slope = (spread * (got - middle)).sum(0) / spread.square().sum(0).clamp_min(1e-300)
    left = got - (middle + slope * spread)
    fits = left.norm(dim=0) <= Exactness.of(after.dtype).tolerance * got.norm(dim=0) + 1e-12
    return "scale" if bool(fits.all()) and float(slope.abs().median()) > 1e-3 else None


def _needed(probe: Probe, stays: Sequence[str]) -> Parts:
    """Return the submodules that must be silent for the layer to return its input."""
    hidden = probe.uneven()
    all_silent = _silent_set(probe, hidden, stays)
    if all_silent is None:
        raise CornerstoneError(broken_identity(probe, list(probe.look(_weighty(probe.layer)).returned)))
    kept, seen = list(all_silent), probe.look(all_silent).returned
    base = probe.run(hidden, [*kept, *stays])
    for part in all_silent:
        fewer = [other for other in kept if other != part]
        if torch.equal(probe.run(hidden, [*fewer, *stays]), base) and not _is_idle(seen[part], hidden):
            kept = fewer
    return Parts(tuple(kept), tuple(part for part in all_silent if part not in kept))


def _silent_set(probe: Probe, hidden: Tensor, stays: Sequence[str]) -> list[str] | None:
    """Return submodules, in the order in which they run, that leave a layer's input when all are silent.

    Some sublayers add to the residual stream by themselves; what they consist of is silenced in their place.
    """
    outer = [part for part in _weighty(probe.layer) if part not in stays]
    inner = {part: _weighty(probe.layer.get_submodule(part), f"{part}.") for part in outer}
    openable = [part for part in outer if inner[part]]
    for count in range(min(len(openable), _OPENED) + 1):
        for opened in combinations(openable, count):
            parts = [name for part in outer for name in (inner[part] if part in opened else [part])]
            ran = probe.look(parts).parts
            if ran and rest_of(hidden, probe.run(hidden, [*ran, *stays])) is not None:
                return ran
    return None


def _weighty(module: nn.Module, before: str = "") -> list[str]:
    """Return the paths of the submodules that have matrices; a list of modules counts as its members."""
    paths: list[str] = []
    for name, child in module.named_children():
        if isinstance(child, nn.ModuleList):
            paths += _weighty(child, f"{before}{name}.")
        elif any(weight.dim() >= 2 for weight in (*child.parameters(), *child.buffers())):
            paths.append(f"{before}{name}")
    return paths


def _mixes(probe: Probe, part: str, players: Sequence[str]) -> bool:
    """Return whether a part, alone active, mixes tokens, by itself or by what the layer makes of it."""
    others = [other for other in players if other != part]
    hidden = probe.hidden
    plain, without = probe.look([part], others), probe.run(hidden, players)
    own = _rows(first_of(plain.returned[part]), hidden.shape[1])
    added = float((plain.out - without).double().norm())
    slack = Exactness.of(hidden.dtype).tolerance / 10
    for place in _POKED:
        elsewhere = torch.arange(hidden.shape[1], device=hidden.device) != place
        changed = probe.look([part], others, poked(hidden, place))
        if own is not None:
            rows = _rows(first_of(changed.returned[part]), hidden.shape[1])
            if rows is None or distance(rows[elsewhere], own[elsewhere]) > slack:
                return True
        moved = float((changed.out - plain.out)[:, elsewhere].double().norm())
        # Rounding of the sum shows beside a small contribution.
        rounding = torch.finfo(hidden.dtype).eps * float(plain.out.double().norm())
        if moved > slack * added + 4 * rounding:
            return True
    return False


def poked(hidden: Tensor, place: int) -> Tensor:
    """Return hidden states of shape (1, tokens, ...) that are others at one position."""
    changed = hidden.clone()
    changed[:, place] = hidden[:, (place + 1) % hidden.shape[1]] * 1.5
    return changed


def _rows(out: Tensor, count: int) -> Tensor | None:
    """Return what a part returned, of shape (tokens, ...); None if it has no row for each token."""
    if out.shape[0] == count:
        return out
    return out[0] if out.shape[:2] == (1, count) else None


def _grouped(probe: Probe, parts: Sequence[str], mixers: Sequence[str]) -> list[tuple[str, ...]]:
    """Join neighbours that do the same kind of work and do not read one another: they are branches of one sublayer."""
    groups: list[tuple[str, ...]] = []
    for part in parts:
        last = groups[-1] if groups else ()
        alike = bool(last) and (last[0] in mixers) == (part in mixers)
        if alike and not any(reads(probe, part, (other,)) for other in last):
            groups[-1] = (*last, part)
        else:
            groups.append((part,))
    return groups


def reads(probe: Probe, part: str, others: Sequence[str]) -> bool:
    """Return whether what a part returns depends on what other parts of its layer return."""
    return differs(probe, probe.look([part]), probe.look([part], others), part)


def differs(probe: Probe, one: Look, other: Look, part: str) -> bool:
    """Return whether a part returned something else in two runs; a kernel that rounds by chance does not count."""
    plain, changed = first_of(one.returned[part]), first_of(other.returned[part])
    if torch.equal(plain, changed):
        return False
    noise = distance(first_of(probe.look([part]).returned[part]), plain)
    return not distance(changed, plain) <= 10 * noise


def _kind(model: nn.Module, probe: Probe, group: Sequence[str], mixes: bool) -> PlayerKind:
    return mixer_kind(model, probe.layer, group) if mixes else channel_kind(probe.layer, group)


def _feeds(probe: Probe, candidates: Sequence[str], group: Sequence[str]) -> tuple[str, ...]:
    """Return the parts that only this player reads: with it silent, they make no difference."""
    hidden = probe.hidden
    found = []
    for part in candidates:
        whole, without = probe.run(hidden), probe.run(hidden, group)
        matters = not torch.equal(probe.run(hidden, [part]), whole)
        alone = torch.equal(probe.run(hidden, [*group, part]), without)
        if matters and alone and _by_token(probe, part):
            found.append(part)
    return tuple(found)


def _by_token(probe: Probe, part: str) -> bool:
    """Return whether a part is a product that returns one tensor with a row for each token."""
    out: Any = probe.look([part]).returned[part]
    module = probe.layer.get_submodule(part)
    return isinstance(module, nn.Linear) and isinstance(out, Tensor) and out.shape[-1] == module.out_features


def has_idle_parts(probe: Probe) -> bool:
    """Return whether a submodule returns next to nothing, so that silencing it can show nothing."""
    returned = probe.look(_weighty(probe.layer)).returned
    return any(_is_idle(out, probe.hidden) for out in returned.values())


def _is_idle(out: Any, hidden: Tensor) -> bool:
    """Return whether a submodule returned nothing, or so little that it is lost where it is added to hidden states."""
    first = first_of(out)
    if first.numel() != hidden.numel():
        return not bool(first.any())
    return torch.equal(hidden + first.reshape(hidden.shape).to(hidden.dtype), hidden)


def held(layer: nn.Module, parts: Iterable[str]) -> list[str]:
    """Return those of some submodules that a layer has."""
    own = {path for path, _ in layer.named_modules()}
    return [part for part in parts if part in own]


def broken_identity(probe: Probe, silent: Sequence[str]) -> str:
    """Return why a layer does not return its input although its parts are silent."""
    law = f"without its players ({', '.join(silent)[:200]}) a layer must return its input, but this one"
    if probe.hidden.dim() > 3:
        return f"{law} mixes its {probe.hidden.shape[2]} streams of hidden states outside of them"
    if not bool(probe.run(probe.uneven(), silent).any()):
        return f"{law} has no skip connection around them"
    return f"{law} does more than scale it; a norm before or after its skip connection does that"
