"""`cornerstone proxies`: its words follow its numbers, and the real program prints both."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.config.run_config import load_config
from core.proxies.rows import CorrelationRow, ProxyRow
from core.proxies.study import check_proxies
from core.study.listener import SILENT
from core.study.workbench import run_config
from store.recorder import StoreRecorder
from store.results import Results
from tests.support.programs import cornerstone
from tui.commands.destination import TABLE, Destination
from tui.commands.proxies import ProxyRequest, put_proxies
from tui.drawing.proxy_text import conclusions, verdict

ROW = CorrelationRow(
    model="m", task="t", players="sublayers", proxy="block influence", tokens="all", target="drop", value="acc", n=64,
    spearman=0.9, spearman_low=0.8, spearman_high=0.95, kendall=0.8, kendall_low=0.7, kendall_high=0.9, top3_found=2,
    reliability=0.9, model_id="mid", task_id="tid",
)  # fmt: skip
POOR = replace(ROW, proxy="relative norm", spearman=0.1, spearman_low=-0.2, spearman_high=0.4, top3_found=0)


@pytest.mark.parametrize(
    ("rows", "answer", "says"),
    [
        (
            [ROW, POOR],
            "yes",
            "block influence over all tokens, Spearman +0.90 (+0.80 to +0.95)",
        ),
        ([POOR], "no", "no proxy can replace it here"),
        ([POOR, replace(ROW, spearman=0.6, spearman_low=0.3)], "open", "leave open whether a proxy can replace it"),
        (
            [replace(ROW, reliability=0.3)],
            "open",
            "would agree with that of 64 others only to about 0.30",
        ),
        ([replace(ROW, reliability=None)], "open", "cannot be told"),
        ([replace(ROW, spearman=None, spearman_low=None, spearman_high=None)], "open", "every one has the same"),
    ],
)
def test_the_words_follow_the_numbers(rows: list[CorrelationRow], answer: str, says: str) -> None:
    found = verdict(rows)
    assert found.answer == answer
    assert says in found.sentence


def test_every_kind_of_player_and_target_has_its_sentence() -> None:
    rows = [ROW, replace(ROW, target="window-ends"), replace(ROW, players="layers")]
    one, other, layers = conclusions(rows)
    assert one.startswith("the drop of sublayers")
    assert other.startswith("phi (window-ends) of sublayers")
    assert layers.startswith("the drop of layers")


def test_the_title_names_what_drop_and_phi_are_in(capsys: pytest.CaptureFixture[str]) -> None:
    row = ProxyRow(
        model="m", task="t", players="sublayers", player=0, label="Attn 0", layer=0, kind="attn", n=9,
        block_influence=0.1, block_influence_later=None, relative_norm=0.2, relative_norm_later=None,
        value="gold_logprob", n_stored=8, drop=2.5, phi_window_first=1.5, phi_window_ends=1.0, model_id="mid",
        task_id="tid",
    )  # fmt: skip
    request = ProxyRequest(value="gold_logprob", to=Destination(TABLE, None, force=False))
    put_proxies([row], [], [], request)
    assert "m on t: 9 documents; drop and phi (gold_logprob, nats) are of 8 of them" in capsys.readouterr().out
    put_proxies([replace(row, n_stored=0)], [], [], request)
    assert "m on t: 9 documents; nothing of them is stored" in capsys.readouterr().out


@pytest.mark.slow
def test_the_program_compares_with_what_is_stored(tiny_model_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    asked = {"model": str(tiny_model_folder), "tasks": ["agreement"], "limit": 8, "schedule": ["windows"]}
    for _ in run_config(load_config(None, asked), "cornerstone run", StoreRecorder(path)):
        pass
    two = load_config(None, {**asked, "tasks": ["agreement", "capitals"], "limit": 9})
    found = check_proxies(two, None, StoreRecorder(path), SILENT)
    rows = {row.label: row for row in found.proxies if row.task == "agreement"}
    assert len(rows) == 8 + 4
    assert {(row.n, row.n_stored) for row in rows.values()} == {(9, 8)}
    for stored in Results(path).ablation().rows:
        assert rows[stored.label].drop == pytest.approx(stored.drop)
        assert 0 <= rows[stored.label].block_influence <= 2
    for shapley in Results(path).shapley(estimator="window-ends").rows:
        assert rows[shapley.label].phi_window_ends == pytest.approx(shapley.phi)
    (gap,) = found.gaps
    assert gap.what == "capitals: not every drop and window of these documents is stored"
    assert gap.fill == two.model_copy(update={"tasks": two.tasks[1:], "schedule": ("windows",)})
    common = ("proxies", "--model", tiny_model_folder, "--task", "agreement", "--limit", "9", "--store", path)
    done = cornerstone(*common)
    assert done.returncode == 0, done.stderr
    assert max(len(line) for line in done.stdout.splitlines() if ": " not in line) <= 100
    assert "the drop of sublayers: these 8 documents" in done.stdout
    assert "FFN 3" in done.stdout
