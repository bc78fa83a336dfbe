"""Each figure has a mark per row, the right names and no overlap, and leaves the settings of matplotlib alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection, QuadMesh
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text

from core.coalitions.players import Kinds
from core.errors import CornerstoneError
from store.rows import AblationRow
from tests.support import example_state as example
from tests.support.figure_rows import LAYERS, ablation_rows, interaction_rows, shapley_rows
from tui.figures.ablation import ablation_figure
from tui.figures.interactions import interactions_figure
from tui.figures.save import save
from tui.figures.shapley import shapley_figure
from tui.figures.shares import shares_figure
from tui.figures.spread import shortened, spread
from tui.figures.style import ATTENTION, CHANCE, FFN, INTACT, LOOKS, OTHER, Look, styled

DRAWN: list[tuple[Callable[..., Figure], Callable[..., Sequence[Any]]]] = [
    (ablation_figure, ablation_rows),
    (shapley_figure, shapley_rows),
    (shares_figure, shapley_rows),
    (interactions_figure, interaction_rows),
]


def panels(figure: Figure) -> list[Axes]:
    return [place for place in figure.axes if place.get_label() != "<colorbar>"]


def texts(figure: Figure) -> list[str]:
    return [one.get_text() for one in figure.findobj(Text) if one.get_text()]


def laid_out(figure: Figure) -> Any:
    with styled():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    return canvas.get_renderer()


def test_an_ablation_has_a_mark_and_an_interval_a_player_and_both_lines() -> None:
    rows = ablation_rows("boolq", "piqa")
    figure = ablation_figure(rows)
    assert len(figure.axes) == 2
    for place in figure.axes:
        attention, ffn = (one for one in place.collections if isinstance(one, PathCollection))
        assert len(attention.get_offsets()) == len(ffn.get_offsets()) == LAYERS
        assert tuple(attention.get_facecolor()[0][:3]) == to_rgb(ATTENTION.colour)
        assert tuple(ffn.get_edgecolor()[0][:3]) == to_rgb(FFN.colour)
        heights = np.concatenate([attention.get_offsets()[:, 1], ffn.get_offsets()[:, 1]])
        assert sorted(heights) == pytest.approx(sorted(row.acc for row in rows if row.task == "boolq"))
        whiskers = [one for one in place.collections if isinstance(one, LineCollection)]
        assert sum(len(one.get_segments()) for one in whiskers) == 2 * LAYERS
        lines = {str(line.get_color()): line for line in place.lines}
        assert lines[INTACT].get_ydata()[0] == rows[0].intact_acc
        assert lines[CHANCE].get_ydata()[0] == 0.5
        assert lines[CHANCE].get_linestyle() == "--"
    assert {"attention", "FFN", "intact", "chance", "layer removed", "score (acc)"} <= set(texts(figure))
    assert "boolq (n = 120)" in texts(figure)


def test_marks_and_line_of_an_ablation_are_of_the_same_documents() -> None:
    rows = ablation_rows("boolq")
    first, *others = rows
    more = replace(first, n=first.n * 2, intact_acc=first.intact_acc - 0.1, acc=first.acc - 0.1)

    def marks(shown: Sequence[AblationRow]) -> list[float]:
        offsets = [each.get_offsets() for each in ablation_figure(shown).axes[0].collections]
        return sorted(float(y) for each in offsets if len(each) > 1 for _, y in each)

    assert marks([more, *others]) == pytest.approx(marks(rows))
    assert "boolq (n = 120 to 240)" in texts(ablation_figure([more, *others]))


def test_every_interval_of_an_ablation_is_in_view() -> None:
    rows = ablation_rows("boolq")
    low, high = ablation_figure(rows).axes[0].get_ylim()
    assert low < min(row.intact_acc - row.drop_high for row in rows)
    assert high > max(row.intact_acc - row.drop_low for row in rows)


def test_without_chance_there_is_no_such_line_and_other_values_keep_their_scales() -> None:
    rows = [replace(row, chance=None, acc=row.acc - 7, intact_acc=row.intact_acc - 7) for row in ablation_rows("a")]
    figure = ablation_figure([*rows, *ablation_rows("b")])
    assert [len(place.lines) for place in figure.axes] == [1, 2]
    assert figure.axes[0].get_ylim()[1] < 0
    assert "chance" not in texts(ablation_figure(rows))


def test_shapley_values_are_a_bar_and_an_interval_a_player_and_the_top_three_are_named() -> None:
    rows = shapley_rows("boolq")
    figure = shapley_figure(rows)
    (place,) = figure.axes
    assert [bar.get_height() for bar in place.patches] == [row.phi for row in rows]
    (whiskers,) = (one for one in place.collections if isinstance(one, LineCollection))
    assert [tuple(one[:, 1]) for one in whiskers.get_segments()] == [(row.phi_low, row.phi_high) for row in rows]
    named = [one.get_text() for one in place.findobj(Annotation)]
    assert sorted(named) == sorted(f"{row.label} {row.phi:.3f}" for row in rows if row.rank <= 3)
    assert "tiny, window-first, windows of up to 4" in texts(figure)
    assert {bar.get_hatch() for bar in place.patches} == {FFN.hatch, ATTENTION.hatch}


@pytest.mark.slow
@pytest.mark.parametrize("width", ["column", "page"])
@pytest.mark.parametrize("draw", [shapley_figure, shares_figure])
@pytest.mark.parametrize("layers", [30, 80])
def test_names_that_belong_to_neighbours_do_not_overlap(draw: Any, width: str, layers: int) -> None:
    shares = [0.3, 0.28, 0.26, 0.1]
    rows = [
        replace(row, rank=at + 1, phi=shares[at] if at < 4 else 0.0, share=shares[at] if at < 4 else 0.06 / layers)
        for at, row in enumerate(shapley_rows("boolq", layers=layers))
    ]
    figure = draw(rows, width=width)
    renderer = laid_out(figure)
    (place,) = figure.axes
    boxes = sorted(
        (Text.get_window_extent(one, renderer) for one in place.findobj(Annotation)), key=lambda box: float(box.x0)
    )
    assert len(boxes) == (3 if draw is shapley_figure else 4)
    assert all(left.x1 <= right.x0 for left, right in pairwise(boxes))
    assert boxes[0].x0 >= 0
    assert boxes[-1].x1 <= figure.bbox.x1


def test_in_a_column_what_all_panels_share_and_the_axis_are_in_full() -> None:
    rows = [replace(row, model="smollm2-135m-instruct", value="gold_logprob") for row in shapley_rows("boolq")]
    for draw in (shares_figure, shapley_figure):
        figure = draw(rows, width="column")
        (place,), renderer = figure.axes, laid_out(figure)
        written = " ".join(" ".join(texts(figure)).split())
        for part in ("smollm2-135m-instruct", "window-first", "windows of up to 4"):
            assert part in written
        box = place.xaxis.label.get_window_extent(renderer)
        assert box.x0 >= 0
        assert box.x1 <= figure.bbox.x1
    axis = shares_figure(rows, width="column").axes[0].get_xlabel()
    assert " ".join(axis.split()) == "share (%) of the sum of positive Shapley values (gold_logprob, nats)"


def test_shares_add_up_to_a_whole_and_the_top_four_are_named() -> None:
    rows = shapley_rows("boolq", "piqa")
    figure = shares_figure(rows)
    (place,) = figure.axes
    positive = [row for row in rows if row.task == "boolq" and row.share]
    assert len(place.patches) == 2 * len(positive)
    assert sum(bar.get_width() for bar in place.patches) == pytest.approx(200)
    ends = [bar.get_x() + bar.get_width() for bar in place.patches[: len(positive)]]
    assert [bar.get_x() for bar in place.patches[1 : len(positive)]] == pytest.approx(ends[:-1])
    best = sorted(positive, key=lambda row: row.rank)[:4]
    assert [bar.get_width() for bar in place.patches[:4]] == pytest.approx([100 * (row.share or 0) for row in best])
    written = texts(figure)
    for row in best:
        assert written.count(f"{row.label}\n{100 * (row.share or 0):.1f}%") == 2
    others = [row for row in positive if row.rank > 4 and row.label.startswith("Attn")]
    assert f"{len(others)} others {100 * sum(row.share or 0 for row in others):.1f}%" in written


def test_where_nothing_is_positive_there_are_no_shares() -> None:
    rows = [replace(row, phi=-0.1, share=None) for row in shapley_rows("boolq")]
    with pytest.raises(CornerstoneError, match="no player has a positive Shapley value"):
        shares_figure(rows)
    (place,) = shapley_figure(rows).axes
    assert place.findobj(Annotation) == []


def test_interactions_are_a_cell_a_window_and_signs_where_intervals_leave_out_zero() -> None:
    rows = interaction_rows("boolq")
    figure = interactions_figure(rows)
    (place,) = panels(figure)
    (mesh,) = (one for one in place.collections if isinstance(one, QuadMesh))
    cells = np.ma.filled(np.ma.asarray(mesh.get_array()), np.nan).reshape(3, 2 * LAYERS)
    assert np.isfinite(cells).sum() == len(rows)
    for row in rows:
        assert cells[row.size - 2, row.first] == row.effect
    limit = max(abs(row.effect) for row in rows)
    assert mesh.get_clim() == (-limit, limit)
    need, back = (one for one in place.collections if isinstance(one, PathCollection))
    assert len(need.get_offsets()) == sum(row.low > 0 for row in rows) > 0
    assert len(back.get_offsets()) == sum(row.high < 0 for row in rows)
    assert any("need each other" in text for text in texts(figure))


@pytest.mark.slow
@pytest.mark.parametrize(("draw", "rows_of"), DRAWN)
@pytest.mark.parametrize("width", ["column", "page"])
def test_panels_are_by_model_and_task_and_nothing_sticks_out(draw: Any, rows_of: Any, width: str) -> None:
    long = "a task with quite a long name, of which the middle is left out, " * 3
    rows = [*rows_of("boolq", long), *rows_of("boolq", model="an organisation/a rather long model name, instruct")]
    figure = draw(rows, width=width)
    renderer = laid_out(figure)
    if draw is not shares_figure:
        assert len(panels(figure)) == 3
    written = " ".join(texts(figure))
    assert "boolq" in written
    assert "…" in written
    for one in figure.findobj(lambda artist: isinstance(artist, Text) and bool(artist.get_text())):
        box = one.get_window_extent(renderer)
        assert box.x0 >= -1
        assert box.x1 <= figure.bbox.x1 + 1
    assert figure.get_figwidth() == {"column": 3.35, "page": 6.9}[width]
    assert figure.get_figheight() <= 9


@pytest.mark.parametrize(("draw", "rows_of"), DRAWN)
def test_the_callers_settings_neither_matter_nor_change(draw: Any, rows_of: Any, tmp_path: Path) -> None:
    save(draw(rows_of("boolq")), tmp_path / "a.svg", force=False)
    with matplotlib.rc_context({"font.size": 30, "text.parse_math": True, "svg.fonttype": "path", "figure.dpi": 30}):
        before = dict(matplotlib.rcParams)
        save(draw(rows_of("boolq")), tmp_path / "b.svg", force=False)
        assert dict(matplotlib.rcParams) == before
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_groups_of_layers_are_named_below_and_grey() -> None:
    rows = [
        replace(row, label=f"Layers {3 * row.player}-{3 * row.player + 2}", players="blocks:3", kind=None, layer=None)
        for row in shapley_rows("boolq")[:10]
    ]
    figure = shapley_figure(rows)
    assert "Layers 0-2" in texts(figure)
    assert {tuple(bar.get_facecolor()[:3]) for bar in figure.axes[0].patches} == {to_rgb(OTHER.colour)}
    assert "groups of layers" in texts(shares_figure(rows))


def test_estimators_are_told_apart_and_only_those_of_windows_name_a_length() -> None:
    figure = shapley_figure([*shapley_rows("boolq"), *shapley_rows("boolq", estimator="exact", settings="")])
    assert {"boolq, window-first, windows of up to 4 (n = 120)", "boolq, exact (n = 120)"} <= set(texts(figure))


@pytest.mark.parametrize(("draw", "rows_of"), DRAWN)
def test_where_values_differ_each_panel_names_its_own_and_the_axis_none(draw: Any, rows_of: Any) -> None:
    one = texts(draw([replace(row, value="margin") for row in rows_of("boolq", "piqa")]))
    assert [text.count("(margin, nats)") for text in one if "margin" in text] == [1]
    mixed = [*rows_of("boolq"), *(replace(row, value="acc_norm") for row in rows_of("piqa"))]
    written = texts(draw(mixed))
    headings = [text.replace("\n", ", ") for text in written if "n = 120" in text]
    assert {heading.split(" (n")[0].split(", n ")[0] for heading in headings} == {"boolq, acc", "piqa, acc_norm"}
    quantity = {"score", "Shapley value", "share (%) of the sum of positive Shapley values", "effect"}
    assert len(quantity & set(written)) == 1


def test_moe_players_are_called_so() -> None:
    rows = shapley_rows("boolq", layers=(("attn", "moe"),) * 8)
    assert "MoE" in texts(shapley_figure(rows))
    assert "FFN" not in texts(shares_figure(rows))


@pytest.mark.parametrize("layers", [example.HYBRID, example.FOUR, example.DENSE_FIRST, example.ONE], ids=len)
def test_the_legend_has_the_kinds_that_the_model_has_and_every_player_is_drawn(layers: Kinds) -> None:
    kinds = {player.kind for player in example.players(layers)}
    names, others = ({LOOKS[kind].name for kind in LOOKS if (kind in kinds) == has} for has in (True, False))
    players, depth = len(example.players(layers)), len(layers)
    for draw, rows in DRAWN[:3]:
        written = set(texts(draw(rows("boolq", layers=layers))))
        assert names <= written
        assert not others & written
    ablation = ablation_figure(ablation_rows("boolq", layers=layers)).axes[0]
    marks = np.concatenate([one.get_offsets() for one in ablation.collections if isinstance(one, PathCollection)])
    assert len(marks) == players
    assert sorted(np.round(marks[:, 0]).astype(int)) == sorted(player.layer for player in example.players(layers))
    bars = shapley_figure(shapley_rows("boolq", layers=layers)).axes[0]
    assert len(bars.patches) == players
    heat = interactions_figure(interaction_rows("boolq", layers=layers)).axes[0]
    for place, centred in ((bars, True), (heat, False)):
        for tick, text in zip(place.get_xticks(), place.get_xticklabels(), strict=True):
            own = [player.number for player in example.players(layers) if player.layer == int(text.get_text())]
            assert tick == (sum(own) / len(own) if centred else own[0])
        assert int(place.get_xticklabels()[-1].get_text()) <= depth - 1


def test_nothing_to_draw_is_the_callers_mistake() -> None:
    for draw, _ in DRAWN:
        with pytest.raises(ValueError, match="no rows"):
            draw([])


def lightness(colour: tuple[float, float, float]) -> float:
    """CIE L* of an sRGB colour."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    luminance = float(np.dot([0.2126, 0.7152, 0.0722], linear))
    return 116 * luminance ** (1 / 3) - 16


def test_kinds_differ_in_grey_and_for_colour_blind_readers() -> None:
    every = [*LOOKS.values(), OTHER]
    for names in ("marker", "hatch", "colour", "tint", "name"):
        assert len({getattr(look, names) for look in every}) == len(every)
    looks: list[tuple[Look, Look]] = [(ATTENTION, FFN)]
    for one, other in looks:
        assert (one.marker, one.hatch) != (other.marker, other.hatch)
        assert abs(lightness(to_rgb(one.colour)) - lightness(to_rgb(other.colour))) > 20
        assert abs(lightness(to_rgb(one.tint)) - lightness(to_rgb(other.tint))) > 12
        # Deuteranopes and protanopes see blue against yellow; the two differ most in blue against the rest.
        first, second = to_rgb(one.colour), to_rgb(other.colour)
        assert abs((first[2] - (first[0] + first[1]) / 2) - (second[2] - (second[0] + second[1]) / 2)) > 0.5


def test_labels_spread_until_they_fit() -> None:
    assert spread([5.0, 50.0], [10.0, 10.0], 0, 100) == [5, 50]
    assert spread([50.0, 49.0], [10.0, 10.0], 0, 100) == [59, 49]
    assert spread([99.0, 98.0, 97.0], [10.0] * 3, 0, 100) == [95, 85, 75]
    assert spread([0.0, 0.0, 0.0], [10.0] * 3, 0, 100) == [5, 15, 25]
    crowded = spread([1.0, 2.0, 3.0], [10.0] * 3, 0, 15)
    assert crowded == pytest.approx([2.5, 7.5, 12.5])


def test_a_text_too_long_loses_its_middle() -> None:
    assert shortened("arc_easy", 100, 7) == "arc_easy"
    cut = shortened("mmlu_high_school_european_history", 70, 7)
    assert len(cut) == 16
    assert cut.startswith("mmlu_hi")
    assert cut.endswith("_history")
