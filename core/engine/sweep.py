"""The sweep evaluates packed rows under many coalitions, layer by layer.

Two coalitions that agree below layer l have the same hidden states there. So each layer holds one state per distinct
prefix of removed players. States that a layer treats alike (intact, one player removed, another one removed) go through
it in batches. Where all players of a layer are removed, the state passes through unchanged, if the layer then adds
nothing.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from core.coalitions.players import Removed
from core.engine.arguments import NotShared
from core.engine.decoder import Decoder
from core.engine.entrance import Entry
from core.engine.intact_states import IntactStates, LayerStates
from core.engine.onednn import ROWS
from core.engine.packing import Row
from core.engine.pipeline import waves
from core.engine.scoring import Scores, joined, score
from core.engine.sizes import head_rows
from core.engine.whole import score_whole
from core.engine.widths import longest_row

Prefix = int
"""The removed players up to some layer, as a bit mask."""

OnBatch = Callable[[float], None]
"""Called between layer batches with the part of the work that is done, 0 to 1. What it raises ends the work."""


def ignore_batches(_part: float) -> None:
    """Do nothing, for callers that do not follow the work."""


def sweep(
    decoder: Decoder,
    row: Row,
    coalitions: Sequence[Removed],
    *,
    batch_tokens: int,
    on_batch: OnBatch = ignore_batches,
    intact: IntactStates | None = None,
) -> Scores:
    """Score the requests of one row under every coalition; see ``sweep_rows``."""
    (scores,) = sweep_rows(decoder, [row], coalitions, batch_tokens=batch_tokens, on_batch=on_batch, intact=intact)
    return scores


def sweep_rows(
    decoder: Decoder,
    rows: Sequence[Row],
    coalitions: Sequence[Removed],
    *,
    batch_tokens: int,
    on_batch: OnBatch = ignore_batches,
    intact: IntactStates | None = None,
) -> list[Scores]:
    """Score the requests of every row under every coalition; all rows pass a layer before the next one.

    Requests go through the model in the way of its layout. Those of a row that cannot share it go by themselves.

    Args:
        decoder: the model.
        rows: packed requests.
        coalitions: sets of removed players in any order; work that they share is done once.
        batch_tokens: how many tokens go through a layer at once.
        on_batch: called between layer batches; what it raises ends the sweep. It may run another sweep meanwhile.
        intact: the cached states of the intact model; the sweep reads them and adds to them.
    """
    if decoder.layout.way == "whole":
        return score_whole(decoder, rows, coalitions, on_batch)
    with torch.inference_mode():
        with decoder.ends_loaded():
            entered = [entered_rows(decoder, row) for row in rows]
        scores = iter(
            _swept(decoder, [each for parts in entered for each in parts], coalitions, batch_tokens, on_batch, intact)
        )
        return [joined([next(scores) for _ in parts]) for parts in entered]


def entered_rows(decoder: Decoder, row: Row) -> list[tuple[Row, Entry]]:
    """Return a row after the embeddings, or the rows of its requests where these cannot share it."""
    if decoder.layout.shares and len(row) <= longest_row(decoder.model.config.get_text_config()):
        try:
            return [(row, decoder.enter(row))]
        except NotShared:
            pass
    return [(alone, decoder.enter(alone)) for alone in row.apart()]


def _swept(
    decoder: Decoder,
    entered: Sequence[tuple[Row, Entry]],
    coalitions: Sequence[Removed],
    batch_tokens: int,
    on_batch: OnBatch,
    intact: IntactStates | None,
) -> list[Scores]:
    """Score rows after the embeddings, layer by layer."""
    removed_bits = [sum(1 << player for player in removed) for removed in coalitions]
    steps = _steps(decoder, removed_bits, batch_tokens)
    passing = [_Passing(row, entry, None if intact is None else intact.of(row)) for row, entry in entered]
    states = sum(len(row) for row, _ in entered) * sum(map(_Step.count, steps))
    progress = _Progress(states, on_batch)
    with decoder.fetching_ahead():
        for index, some in waves(decoder.stages, len(passing)):
            _pass(decoder, steps[index], [passing[at] for at in some], progress)
    with decoder.ends_loaded():
        return [
            score(
                decoder, each.row, [each.states[bits] for bits in removed_bits], head_rows(batch_tokens), progress.pause
            )
            for each in passing
        ]


class _Progress:
    """Tells ``on_batch`` which part of the states has been through its layer."""

    def __init__(self, total: int, on_batch: OnBatch) -> None:
        self._total = total
        self._done = 0
        self._on_batch = on_batch

    def advance(self, states: int) -> None:
        self._done += states
        self.pause()

    def pause(self) -> None:
        self._on_batch(self._done / self._total if self._total else 1.0)


def _variants(start: int, end: int, removed_bits: Sequence[int]) -> dict[int, list[Prefix]]:
    """Group the distinct prefixes up to a layer by what the layer lacks, a bit for each of its players.

    Args:
        start: the number of the layer's first player.
        end: the number of the next layer's first player.
        removed_bits: coalitions, with a bit for each removed player.
    """
    upto = (1 << end) - 1
    variants: defaultdict[int, list[Prefix]] = defaultdict(list)
    for prefix in dict.fromkeys(bits & upto for bits in removed_bits):
        variants[prefix >> start].append(prefix)
    return variants


@dataclass(frozen=True, slots=True)
class _Step:
    """One layer of a sweep.

    ``start`` is the number of its first player. ``variants`` holds the distinct prefixes up to the layer, grouped by
    what the layer lacks; the variant ``skipped``, if there is one, passes its input through. ``batch_tokens`` is how
    many tokens go through it at once. After the last layer only the scored positions are kept.
    """

    index: int
    start: int
    variants: dict[int, list[Prefix]]
    skipped: int | None
    batch_tokens: int
    last: bool

    def count(self) -> int:
        """Return how many distinct prefixes there are."""
        return sum(map(len, self.variants.values()))

    def before(self, prefix: Prefix) -> Prefix:
        """Return the part of a prefix that comes before this layer."""
        return prefix & (1 << self.start) - 1

    def lacking(self, done: dict[Prefix, Tensor]) -> dict[int, list[Prefix]]:
        """Return the prefixes that remain to be computed, grouped by variant."""
        found = {}
        for variant, prefixes in self.variants.items():
            found[variant] = [prefix for prefix in prefixes if prefix not in done]
        return {variant: prefixes for variant, prefixes in found.items() if prefixes}

    def lacking_count(self, done: dict[Prefix, Tensor]) -> int:
        """Return how many prefixes remain to be computed."""
        return sum(map(len, self.lacking(done).values()))


def _steps(decoder: Decoder, removed_bits: Sequence[int], batch_tokens: int) -> list[_Step]:
    """Return the steps of a sweep under these coalitions."""
    steps = []
    for index, (start, end) in enumerate(pairwise(decoder.layout.starts)):
        layer, last = decoder.layout.layers[index], index == decoder.layer_count - 1
        skipped = (1 << len(layer.sublayers)) - 1 if layer.passes else None
        steps.append(_Step(index, start, _variants(start, end, removed_bits), skipped, batch_tokens, last))
    return steps


class _Passing:
    """A row on its way through the layers: the states after those that it has passed, by prefix."""

    def __init__(self, row: Row, entry: Entry, intact: LayerStates | None) -> None:
        self.row = row
        self.calls = entry.calls
        self.intact = intact
        """The cached states of the intact model, by layer; None if none are kept."""
        self.states: dict[Prefix, Tensor] = {0: entry.hidden}
        self.scored = torch.from_numpy(np.unique(row.nodes))
        """The scored positions in order, each once."""


def _pass(decoder: Decoder, step: _Step, passing: Sequence[_Passing], progress: _Progress) -> None:
    """Take rows through a layer."""
    done = [_known(step, each) for each in passing]
    due = sum(len(each.row) * step.lacking_count(there) for each, there in zip(passing, done, strict=True))
    with decoder.loaded(step.index, due) if due else nullcontext():
        for each, there in zip(passing, done, strict=True):
            # This frees the row's states before the layer at once, not only after all rows.
            each.states = _through_layer(decoder, step, each, there, progress)
    for each in passing:
        if each.intact is not None and 0 in each.states:
            each.intact[step.index] = _alone(each.states[0])


def _known(step: _Step, passing: _Passing) -> dict[Prefix, Tensor]:
    """Return the states after a layer that need no computation.

    These are the states that skip the layer, and the cached states of the intact model.
    """
    skipping = [] if step.skipped is None else step.variants.get(step.skipped, [])
    known = {prefix: _alone(passing.states[step.before(prefix)]) for prefix in skipping}
    if step.last:
        known = {prefix: state[passing.scored.to(state.device)] for prefix, state in known.items()}
    if 0 in step.variants.get(0, []) and passing.intact is not None and step.index in passing.intact:
        known[0] = passing.intact[step.index]
    return known


def _alone(state: Tensor) -> Tensor:
    """Copy a state out of its batch, so that keeping it does not keep the whole batch in memory."""
    return state.clone() if state.untyped_storage().nbytes() > state.nbytes else state


def _batch_size(states: int, tokens: int, batch_tokens: int) -> int:
    """Return how many states go through a layer at once: in as few and as even batches as possible.

    Small batches are slow. All batches but the last fill whole ``ROWS``, which saves padding, unless that would exceed
    the limit.
    """
    most = max(1, batch_tokens // tokens)
    batches = math.ceil(states / most)
    even = math.ceil(states / batches)
    step = ROWS // math.gcd(ROWS, tokens)
    full = math.ceil(even / step) * step
    return full if full <= most else even


def _through_layer(
    decoder: Decoder, step: _Step, passing: _Passing, done: dict[Prefix, Tensor], progress: _Progress
) -> dict[Prefix, Tensor]:
    """Return the states after a layer: add to those in ``done`` the ones computed from the states before it."""
    tokens = len(passing.row)
    progress.advance(len(done) * tokens)
    if not (lacking := step.lacking(done)):
        return done
    # In a model spread over several devices, a state that skipped layers is still on an earlier device.
    place = decoder.place(step.index)
    through = partial(decoder.layer_at, at=passing.scored.to(place)) if step.last else decoder.layer
    for variant, prefixes in lacking.items():
        size = _batch_size(len(prefixes), tokens, step.batch_tokens)
        for start in range(0, len(prefixes), size):
            batch = prefixes[start : start + size]
            out = through(
                step.index,
                torch.stack([passing.states[step.before(prefix)].to(place) for prefix in batch]),
                passing.calls[step.index],
                removed=variant,
            )
            done.update(zip(batch, out.unbind(), strict=True))
            progress.advance(len(batch) * tokens)
    return done
