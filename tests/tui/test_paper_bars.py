"""The paper's figures as text, for layers with any players."""

from __future__ import annotations

from core.coalitions.players import Kinds
from tests.support.figure_rows import shapley_rows
from tui.paper.bars import value_columns

UNEVEN: Kinds = (("ssm", "ffn"), ("ssm",), ("attn", "moe", "attn", "ffn"), ("ffn",))


def test_every_kind_has_a_row_of_bars_by_layer() -> None:
    rows = shapley_rows("boolq", layers=UNEVEN)
    drawn = value_columns(rows, "title", 80)
    for name in ("SSM", "FFN", "Attn a", "MoE", "Attn b"):
        assert any(line.split("▕")[0].strip() == name for line in drawn.split("\n"))
    highest = max(rows, key=lambda row: row.phi)
    bars = [line.split("▕")[1] for line in drawn.split("\n") if "▕" in line and "█" in line]
    assert any(bar[2 * (highest.layer or 0) :][:1] == "█" for bar in bars)


def test_a_layer_without_a_player_of_a_kind_is_blank() -> None:
    rows = shapley_rows("boolq", layers=UNEVEN)
    series = value_columns([row for row in rows if row.label == "FFN 3"], "title", 80).split("\n")
    assert all(not line.split("▕")[1][:6].strip() for line in series if "▕" in line)
