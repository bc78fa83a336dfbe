"""The cornerstone rule: the tasks that count, the evidence it needs, and noise that does not pass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from core.paper.cornerstones import chosen, cornerstones
from core.paper.resampling import resample
from tests.support.paper_values import model, task

N = 200
PLAYERS = 8


def carried(
    documents: int = N, *, share: float = 0.6, drop: float = 0.5, chance: float | None = 0.25, seed: int = 0
) -> object:
    """Player 1 loses ``drop`` of .8 alone, and has ``share`` of all that is contributed; the others lose nothing."""
    generator = np.random.default_rng(seed)
    intact = (np.arange(documents) < 0.8 * documents).astype(float)
    ablated = np.tile(intact, (PLAYERS, 1))
    ablated[1, : round(drop * documents)] = 0
    contributions = np.full((PLAYERS, documents), 0.1 * (1 - share) / (PLAYERS - 1))
    contributions[1] = 0.1 * share
    contributions += generator.normal(0, 0.02, contributions.shape)
    return task(intact=intact.tolist(), ablated=ablated.tolist(), contributions=contributions.tolist(), chance=chance)


def verdicts(*tasks: object) -> list[str]:
    return [each.verdict for each in cornerstones(resample(model(*tasks, players=PLAYERS))).evidence]  # type: ignore[arg-type]


def test_what_collapses_the_model_and_dominates_is_sure() -> None:
    found = cornerstones(resample(model(carried(), players=PLAYERS)))  # type: ignore[arg-type]
    first = found.evidence[1]
    assert [each.verdict for each in found.evidence] == ["no", "sure", *["no"] * 6]
    assert first.collapse == pytest.approx(0.5 / 0.55)
    assert (first.drop, first.above) == (pytest.approx(0.5), pytest.approx(0.55))
    assert first.share == pytest.approx(0.6, abs=0.03)
    assert first.needed_share == pytest.approx(3 / 8)
    assert (found.players, found.counted, found.at_chance, first.n) == ((1,), ("arc_easy",), (), N)


def test_either_condition_alone_is_not_enough() -> None:
    assert verdicts(carried(share=0.2))[1] == "no"
    assert verdicts(carried(drop=0.1))[1] == "no"


def test_few_documents_leave_it_likely_or_open() -> None:
    assert verdicts(carried(24, drop=0.35))[1] == "likely"
    assert verdicts(carried(24, drop=0.2))[1] == "open"


def test_a_task_at_chance_does_not_count() -> None:
    found = cornerstones(resample(model(carried(chance=0.78), players=PLAYERS)))  # type: ignore[arg-type]
    assert (found.players, found.counted, found.at_chance) == ((), (), ("arc_easy",))
    assert {each.verdict for each in found.evidence} == {"open"}


def test_without_a_chance_level_the_share_alone_is_judged() -> None:
    """A player that loses little is no cornerstone; one that dominates stays open."""
    found = cornerstones(resample(model(carried(chance=None), players=PLAYERS)))  # type: ignore[arg-type]
    assert (found.players, found.counted, found.at_chance, found.without_chance) == ((), (), (), ("arc_easy",))
    assert [each.verdict for each in found.evidence] == ["no", "open", *["no"] * 6]
    first = found.evidence[1]
    assert (first.collapse, first.collapse_low, first.above) == (None, None, None)
    assert (first.drop, first.tasks, first.n) == (pytest.approx(0.5), ("arc_easy",), N)
    assert first.share_low is not None
    assert first.share_low > first.needed_share


def test_a_task_without_a_chance_level_is_not_counted_beside_one_that_has_it() -> None:
    cloze = replace(carried(chance=None), task="lambada", task_id="other")  # type: ignore[type-var]
    found = cornerstones(resample(model(carried(), cloze, players=PLAYERS)))  # type: ignore[arg-type]
    assert (found.counted, found.at_chance, found.without_chance) == (("arc_easy",), (), ("lambada",))
    assert {each.tasks for each in found.evidence} == {("arc_easy",)}


def test_without_a_cornerstone_the_largest_shares_are_taken_and_without_shares_the_largest_drops() -> None:
    plain = carried(share=0.2, drop=0.1)
    drawn = resample(model(plain, players=PLAYERS))  # type: ignore[arg-type]
    taken = chosen(drawn, cornerstones(drawn))
    assert taken is not None
    assert (taken.players[0], len(taken.players), taken.by) == (1, 3, "share")
    alone = task(intact=plain.intact, ablated=plain.ablated)  # type: ignore[attr-defined]
    drawn = resample(model(alone, players=PLAYERS))
    taken = chosen(drawn, cornerstones(drawn))
    assert taken is not None
    assert (taken.players, taken.by) == ((1,), "drop")  # nobody else's removal costs anything
    nothing = resample(model(players=PLAYERS))
    assert chosen(nothing, cornerstones(nothing)) is None


def test_where_no_removal_costs_anything_nobody_is_chosen() -> None:
    right = [1.0] * 30 + [0.0] * 10
    still = resample(model(task(intact=right, ablated=[right] * 4, contributions=[[0.0] * 40] * 4)))
    assert chosen(still, cornerstones(still)) is None
    one = [[0.0] * 40, *[right] * 3]
    drawn = resample(model(task(intact=right, ablated=one, contributions=[[0.0] * 40] * 4)))
    taken = chosen(drawn, cornerstones(drawn))
    assert taken is not None
    assert (taken.players, taken.by) == ((0,), "drop")


@pytest.mark.parametrize("documents", [1, 2, 64])
def test_noise_is_called_no_cornerstone(documents: int) -> None:
    """Sixty players that all matter as little, on documents so few that some drop is always large."""
    named = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        intact = (generator.random(documents) < 0.45).astype(float)
        flips = generator.random((60, documents)) < 0.15
        ablated = np.where(flips, generator.random((60, documents)) < 0.4, intact).astype(float)
        phi = (intact - ablated + generator.normal(0, 0.2, (60, documents))) / 2
        noise = task(intact=intact.tolist(), ablated=ablated.tolist(), contributions=phi.tolist())
        named += bool(cornerstones(resample(model(noise, players=60), draws=200)).players)
    assert named <= 1


def test_when_all_documents_agree_nothing_is_undefined() -> None:
    one = task(intact=[1.0], ablated=[[0.0], [1.0], [1.0], [1.0]], contributions=[[0.5], [0.0], [0.0], [0.0]])
    for found in cornerstones(resample(model(one))).evidence:
        for value in (found.collapse, found.collapse_low, found.share, found.share_high, found.drop, found.above):
            assert value is None or np.isfinite(value)


@pytest.mark.parametrize("worth", [(0.3, 0.2, 0.1, *[0.02] * 5, *[0.0] * 8, *[-0.02] * 4), (0.15, 0.1, *[0.005] * 18)])
def test_intervals_of_shares_hold_the_truth_for_all_players_at_once(worth: tuple[float, ...]) -> None:
    """Not by being wide: those of the small ones end below the largest share."""
    value = np.array(worth)
    truth = np.maximum(value, 0) / np.maximum(value, 0).sum()
    generator = np.random.default_rng(5)
    p = np.abs(value) + 0.1
    chances = np.stack([(p + value) / 2, (p - value) / 2], axis=1)
    held, widest = 0, []
    for _ in range(60):
        tasks = []
        for name in ("arc_easy", "piqa"):
            luck = generator.random((4, len(worth), 128))
            signs = (luck < chances[:, :1]) * 1.0 - (luck > 1 - chances[:, 1:])
            tasks.append(task(name, contributions=signs.mean(axis=0).tolist(), chance=None))
        found = cornerstones(resample(model(*tasks, players=len(worth)), draws=200)).evidence
        low = np.array([each.share_low for each in found], dtype=float)
        high = np.array([each.share_high for each in found], dtype=float)
        held += bool(((low <= truth) & (truth <= high)).all())
        widest.append(high[2:].mean())
    assert held >= 0.85 * 60
    assert np.mean(widest) < truth.max()
