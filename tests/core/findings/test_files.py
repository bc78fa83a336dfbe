"""Findings survive in their files; a file that is damaged is named, and hides no other."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from core.config.gap import Gap
from core.findings.files import findings_folder, keep, read_findings
from core.findings.finding import PathFinding, ProxyFinding
from core.proxies.rows import CorrelationRow, ProxyRow
from core.removal_path.request import PathRequest
from core.removal_path.rows import PathRow
from tests.support.store_records import to_run


def path_row(step: int = 0, tasks: tuple[str, ...] = ("capitals",), n: int = 8) -> PathRow:
    return PathRow(
        model="tiny",
        tasks=tasks,
        value="acc",
        documents="chosen by these",
        players="sublayers",
        step=step,
        label=None if step == 0 else f"FFN {step}",
        removed=tuple(range(1, 2 * step, 2)),
        n=n,
        intact=0.75,
        score=0.75 - step / 8,
        score_low=None,
        score_high=None,
        drop=step / 8,
        drop_low=-0.25,
        drop_high=0.5,
        gold_logprob=-1.25,
        chance=0.25,
        candidates=6 - step,
        tied=1,
        parameters_removed=10 * step,
        parameters_total=100,
        model_id="m1",
    )


def path_finding(rows: tuple[PathRow, ...], *, day: int = 1, complete: bool = True, steps: int = 2) -> PathFinding:
    return PathFinding(
        made=datetime(2026, 1, day, tzinfo=UTC),
        request=PathRequest(steps=steps),
        tasks=("t1",),
        complete=complete,
        rows=rows,
    )


def proxy_row(player: int = 0, task: str = "capitals", influence: float = 0.5) -> ProxyRow:
    return ProxyRow(
        model="tiny",
        task=task,
        players="sublayers",
        player=player,
        label=f"{'FFN' if player % 2 else 'Attn'} {player // 2}",
        layer=player // 2,
        kind="ffn" if player % 2 else "attn",
        n=8,
        block_influence=influence,
        block_influence_later=None,
        relative_norm=1.5,
        relative_norm_later=0.25,
        value="acc",
        n_stored=8,
        drop=0.25,
        phi_window_first=None,
        phi_window_ends=None,
        model_id="m1",
        task_id=f"id of {task}",
    )


def correlation() -> CorrelationRow:
    return CorrelationRow(
        model="tiny",
        task="capitals",
        players="sublayers",
        proxy="block influence",
        tokens="all",
        target="drop",
        value="acc",
        n=8,
        spearman=0.5,
        spearman_low=-0.25,
        spearman_high=0.75,
        kendall=None,
        kendall_low=None,
        kendall_high=None,
        top3_found=2,
        reliability=0.5,
        model_id="m1",
        task_id="id of capitals",
    )


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    path = path_finding((path_row(), path_row(1)))
    gaps = (Gap("no windows", to_run(schedule="windows")), Gap("nothing"))
    proxies = ProxyFinding(
        made=datetime(2026, 1, 1, tzinfo=UTC), rows=(proxy_row(),), correlations=(correlation(),), gaps=gaps
    )
    keep(store, path)
    keep(store, proxies)
    found = read_findings(store)
    assert (found.paths, found.proxies, found.faults) == ((path,), (proxies,), ())
    assert read_findings(tmp_path / "other.duckdb").paths == ()


def test_a_later_one_of_the_same_takes_its_place_and_others_come_first_by_date(tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    keep(store, path_finding((path_row(),), complete=False))
    keep(store, path_finding((path_row(), path_row(1)), day=2))
    keep(store, path_finding((path_row(n=9),), day=3))
    keep(store, path_finding((path_row(),), day=4, steps=3))
    assert [(each.made.day, len(each.rows)) for each in read_findings(store).paths] == [(4, 1), (3, 1), (2, 2)]


def test_the_rows_over_all_tasks_are_told_apart() -> None:
    alone, both = path_row(), path_row(tasks=("capitals", "agreement"))
    assert path_finding((alone, both)).overall == (both,)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    keep(store, path_finding((path_row(),)))
    (findings_folder(store) / "path-0.json").write_text('{"type": "path", "rows": []}')
    (findings_folder(store) / "proxies-0.json").write_bytes(b"\x00\xff")
    found = read_findings(store)
    assert len(found.paths) == 1
    assert ["path-0.json" in found.faults[0], "proxies-0.json" in found.faults[1]] == [True, True]
