"""The export dialog: the very files that the command line writes, asked before replacing, errors that leave it open."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from pyarrow import ipc
from textual.pilot import Pilot
from textual.widgets import Input, RadioButton, Static

from store.formats import registry
from store.formats.format import Format
from store.results import Results
from store.rows import AblationRow, GroupRow
from store.tables import tables
from tests.support.programs import cornerstone
from tests.support.screen_host import Host, drawn, fill, hosted, settled, squashed
from tests.support.store_records import assignment, documents, keep, outcome, task
from tests.tui.explorer.test_bursts import burst
from tui.explorer import write_table
from tui.explorer.scope import Scope
from tui.explorer.screens.confirm import ConfirmDialog
from tui.explorer.screens.export import ExportDialog
from tui.explorer.write_table import Shown

pytestmark = pytest.mark.asyncio

Full = tuple[Path, GroupRow]
FORMS = {"json": ".json", "parquet": ".parquet", "markdown": ".md", "latex": ".tex", "arrow": ".arrow"}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every dialog offers a file in the folder that it was started in."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def results(host: Pilot[None]) -> list[Path | None]:
    assert isinstance(host.app, Host)
    return host.app.results


async def write_to(pilot: Pilot[None], path: str) -> str:
    field = pilot.app.screen.query_one("#path", Input)
    field.value = path
    field.focus()
    await settled(pilot, "enter")
    return squashed(drawn(pilot))


async def test_what_is_typed_on_a_choice_or_a_button_is_the_file(full: Full) -> None:
    path, group = full
    async with hosted(lambda: ExportDialog(path, Scope(group.model_id), table="ablation")) as pilot:
        for at in ("#table", "#format", "#only", "#close"):
            pilot.app.screen.query_one(at).focus()
            await settled(pilot)
            await burst(pilot, "=mine.json")
            assert pilot.app.screen.query_one("#path", Input).value == "mine.json", at
        pilot.app.screen.query_one("#only").focus()
        await settled(pilot)
        await burst(pilot, "space")
        assert pilot.app.screen.query_one("#path", Input).value == "mine.json"
        assert "[ ] only the model" in drawn(pilot)


@pytest.mark.parametrize(
    "table", ["ablation", "coalitions", "outcomes", "shapley", "interactions", "cornerstones", "runs"]
)
async def test_the_file_is_the_command_lines_byte_for_byte(here: Path, tmp_path: Path, table: str) -> None:
    path = tmp_path / "results.duckdb"
    group = fill(path)
    other = assignment(documents([0]), [(), (1,)], of_task=task("opposites"))
    keep(path, other, [outcome("doc-0"), outcome("doc-0", (1,))], run_id="other")
    async with hosted(
        lambda: ExportDialog(path, Scope(group.model_id, group.task_id), table=table), (160, 40)
    ) as pilot:
        await settled(pilot, "enter")
        file = here / f"cornerstone-{table}.csv"
        count = len(file.read_text().splitlines()) - 1
        assert squashed(f"wrote {count} rows to {file}") in squashed(drawn(pilot))
        await settled(pilot, "enter")  # close has the focus now
        assert results(pilot) == [file]
    only = [] if table == "runs" else ["--model", group.model_id, "--task", group.task_id]
    told = cornerstone("results", table, "--store", path, *only, "--format", "csv", "-o", tmp_path / "told.csv")
    assert told.returncode == 0, told.stderr
    assert file.read_bytes() == (tmp_path / "told.csv").read_bytes()


@pytest.mark.slow
async def test_each_format(full: Full, here: Path) -> None:
    path, _ = full
    async with hosted(lambda: ExportDialog(path, Scope(), table="ablation"), (80, 24)) as pilot:
        for form, ending in FORMS.items():
            await pilot.click(f"#format-{form}")
            await settled(pilot)
            assert pilot.app.screen.query_one("#path", Input).value == f"./cornerstone-ablation{ending}"
            await pilot.click("#write")
            await settled(pilot)
    labels = [row["label"] for row in json.loads((here / "cornerstone-ablation.json").read_text())]
    assert labels == ["Attn 0", "FFN 0", "Attn 1", "FFN 1", "Attn 2", "FFN 2"]
    found = duckdb.sql(f"SELECT label FROM '{here}/cornerstone-ablation.parquet' ORDER BY player").fetchall()
    assert found == [(label,) for label in labels]
    with ipc.open_file(here / "cornerstone-ablation.arrow") as file:
        assert sorted(file.read_all()["label"].to_pylist()) == sorted(labels)
    for ending in (".md", ".tex"):
        lines = (here / f"cornerstone-ablation{ending}").read_text().splitlines()
        assert [label for label in labels if sum(f" {label} " in line for line in lines) == 1] == labels


@pytest.mark.slow
async def test_the_keyboard_alone_chooses_table_and_format(full: Full, here: Path) -> None:
    path, _ = full
    async with hosted(lambda: ExportDialog(path, Scope(), table="ablation")) as pilot:
        await settled(pilot, "shift+tab", "shift+tab", "right", "left", "right", "tab", "right", "enter")
    names = list(tables())
    assert [file.name for file in here.iterdir()] == [f"cornerstone-{names[names.index('ablation') + 1]}.json"]


async def test_a_name_of_ones_own_keeps_its_stem(full: Full) -> None:
    path, _ = full
    async with hosted(lambda: ExportDialog(path, Scope(), table="ablation")) as pilot:
        field = pilot.app.screen.query_one("#path", Input)
        field.value = "mine.csv"
        await pilot.click("#format-json")
        await pilot.click("#table-runs")
        await settled(pilot)
        assert field.value == "mine.json"
        field.value = "mine.feather"
        await pilot.click("#format-arrow")
        await settled(pilot)
        assert field.value == "mine.feather"
        await pilot.click("#format-latex")
        await settled(pilot)
        assert field.value == "mine.tex"
        field.value = "notes"
        await pilot.click("#format-csv")
        await settled(pilot)
        assert field.value == "notes"


@pytest.mark.slow
async def test_the_ending_chooses_the_format(full: Full, here: Path) -> None:
    path, _ = full
    async with hosted(lambda: ExportDialog(path, Scope(), table="ablation"), (160, 40)) as pilot:
        assert "wrote6rows" in await write_to(pilot, "mine.MD")
        assert pilot.app.screen.query_one("#format-markdown", RadioButton).value
        assert (here / "mine.MD").read_text().startswith("| model |")
        pilot.app.screen.query_one("#path", Input).focus()
        await burst(pilot, "ctrl+a", "ctrl+k", f"={here}/x.json", "ctrl+s")
        assert len(json.loads((here / "x.json").read_text())) == 6
        await pilot.click("#format-csv")
        await settled(pilot)
        assert pilot.app.screen.query_one("#path", Input).value == f"{here}/x.csv"


async def test_rows_are_written_as_they_are_shown_or_all(full: Full, here: Path) -> None:
    path, _ = full
    rows = Results(path).ablation().rows[3:0:-1]
    shown = Shown("ablation", AblationRow, rows, "3 of 6 rows, filtered and sorted")
    async with hosted(lambda: ExportDialog(path, Scope(), table="ablation", shown=shown), (80, 24)) as pilot:
        assert "as shown: 3 of 6 rows, filtered and sorted" in drawn(pilot)
        await settled(pilot, "enter")
        assert [line["label"] for line in _read(here / "cornerstone-ablation.csv")] == ["FFN 1", "Attn 1", "FFN 0"]
        await pilot.click("#rows-all")
        assert "wrote6rows" in await write_to(pilot, "all.csv")
        await pilot.click("#rows-shown")
        await pilot.click("#table-runs")
        assert "wrote1row" in await write_to(pilot, "runs.csv")  # what is shown is of another table


def _read(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


@pytest.mark.slow
async def test_a_chart_is_drawn_by_a_program_of_its_own(full: Full, here: Path) -> None:
    path, group = full
    scope = Scope(group.model_id, group.task_id)
    async with hosted(lambda: ExportDialog(path, scope, table="ablation"), (160, 40)) as pilot:
        await pilot.click("#format-svg")
        await settled(pilot, "ctrl+s")
        assert squashed(f"wrote the chart to {here}/cornerstone-ablation.svg") in squashed(drawn(pilot))
        assert (here / "cornerstone-ablation.svg").read_text().startswith("<?xml")
        await pilot.click("#table-runs")
        assert squashed("there is no chart of this table") in await write_to(pilot, "runs.pdf")
        await pilot.click("#table-ablation")
        assert squashed("there is no folder") in await write_to(pilot, "nowhere/x.pdf")


async def test_the_result_of_a_query_has_no_chart(full: Full) -> None:
    path, _ = full
    rows = Results(path).ablation().rows
    result = Shown("query", AblationRow, rows, "every row of the result")
    async with hosted(lambda: ExportDialog(path, Scope(), table="query", result=result), (80, 24)) as pilot:
        assert "coalitions" not in drawn(pilot)
        assert squashed("x.svg ends in .svg, and csv is chosen") in await write_to(pilot, "x.svg")
        assert "wrote6rows" in await write_to(pilot, "x.tex")


async def test_a_plugins_format_is_offered_and_written(full: Full, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = full
    labels = Format("labels", (".lbl",), "labels alone [/]", render=lambda rows, _: " ".join(row.label for row in rows))
    monkeypatch.setattr(registry, "contributed", {"formats": (labels,)}.__getitem__)
    async with hosted(lambda: ExportDialog(path, Scope(), table="ablation"), (80, 24)) as pilot:
        await pilot.click("#format-labels")
        assert str(pilot.app.screen.query_one("#format-labels").tooltip) == "labels alone [/]"
        await pilot.click("#write")
        await settled(pilot)
    assert (here / "cornerstone-ablation.lbl").read_text() == "Attn 0 FFN 0 Attn 1 FFN 1 Attn 2 FFN 2"


@pytest.mark.slow
async def test_it_asks_before_it_replaces(full: Full, here: Path) -> None:
    path, _ = full
    file = here / "cornerstone-ablation.csv"
    file.write_text("precious")
    async with hosted(lambda: ExportDialog(path, Scope(), table="ablation"), (120, 30)) as pilot:
        await settled(pilot, "enter")
        assert isinstance(pilot.app.screen, ConfirmDialog)
        assert pilot.app.screen.query_one(Static).content == f"{file} is there already. Replace it?"
        await settled(pilot, "enter")  # the safe answer
        assert file.read_text() == "precious"
        assert squashed("nothing was written") in squashed(drawn(pilot))
        await settled(pilot, "enter", "escape")
        assert file.read_text() == "precious"
        await settled(pilot, "enter", "left", "enter")
        assert squashed("wrote 6 rows") in squashed(drawn(pilot))
        assert file.read_text().startswith("model,task,")
        await settled(pilot, "escape")
        assert results(pilot) == [file]


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("  ", "name the file to write"),
        (".", "is a folder; name a file in it"),
        ("nowhere/a.csv", "cannot write"),
        ("~nobody_of_this_name/a.csv", "there is no such home folder"),
    ],
)
async def test_what_cannot_be_written_is_a_sentence_and_it_stays_open(full: Full, target: str, sentence: str) -> None:
    path, _ = full
    async with hosted(lambda: ExportDialog(path, Scope(), table="ablation"), (160, 40)) as pilot:
        assert squashed(sentence) in await write_to(pilot, target)
        assert isinstance(pilot.app.screen, ExportDialog)
        assert "wrote6rows" in await write_to(pilot, "good.csv")


async def test_no_store_yet(tmp_path: Path, here: Path) -> None:
    async with hosted(lambda: ExportDialog(tmp_path / "none.duckdb", Scope(), table="ablation"), (160, 40)) as pilot:
        await settled(pilot, "enter")
        assert squashed("none.duckdb yet") in squashed(drawn(pilot))
        await settled(pilot, "escape")
        assert results(pilot) == [None]
    assert not list(here.iterdir())


async def test_a_store_in_use(
    held: tuple[Path, Callable[[], None]], monkeypatch: pytest.MonkeyPatch, here: Path
) -> None:
    monkeypatch.setattr(write_table, "PATIENCE_S", 0.2)
    path, release = held
    async with hosted(lambda: ExportDialog(path, Scope(), table="coalitions"), (160, 40)) as pilot:
        await settled(pilot, "enter")
        assert squashed("in use by another program") in squashed(drawn(pilot))
        release()
        await settled(pilot, "enter")
        assert squashed("wrote 19 rows") in squashed(drawn(pilot))
    assert (here / "cornerstone-coalitions.csv").exists()


async def test_what_has_no_answer_is_said_and_what_is_left_out_too(tmp_path: Path) -> None:
    path = tmp_path / "results.duckdb"
    keep(path, assignment(documents([0]), [()], of_task=task("bare")), [outcome("doc-0")], run_id="bare")
    async with hosted(lambda: ExportDialog(path, Scope(), table="shapley"), (160, 40)) as pilot:
        await settled(pilot, "enter")
        assert squashed("18 of 19 coalitions are missing") in squashed(drawn(pilot))
        fill(path)
        await settled(pilot, "enter")
        assert squashed("wrote 12 rows") in squashed(drawn(pilot))
        assert squashed("left out: tiny on bare: 18 of 19") in squashed(drawn(pilot))


async def test_everything_if_the_box_is_cleared(tmp_path: Path, here: Path) -> None:
    path = tmp_path / "results.duckdb"
    group = fill(path)
    keep(path, assignment(documents([0]), [()], of_task=task("bare")), [outcome("doc-0")], run_id="bare")
    async with hosted(
        lambda: ExportDialog(path, Scope(group.model_id, group.task_id), table="coalitions"), (160, 40)
    ) as pilot:
        await pilot.click("#only")
        await pilot.click("#write")
        await settled(pilot)
        assert squashed("wrote 20 rows") in squashed(drawn(pilot))
    assert "bare" in (here / "cornerstone-coalitions.csv").read_text()


@pytest.mark.slow
async def test_a_path_is_shown_as_text(full: Full) -> None:
    path, _ = full
    async with hosted(lambda: ExportDialog(path, Scope(), table="ablation"), (160, 40)) as pilot:
        text = await write_to(pilot, "[red]x[\\].csv")
        assert "[red]x[\\].csv" in text
        assert "[red]x[\\].csv" in await write_to(pilot, "[red]x[\\].csv")
        assert isinstance(pilot.app.screen, ConfirmDialog)


async def test_a_name_that_no_file_can_have_is_told(full: Full, here: Path) -> None:
    path, _ = full
    async with hosted(lambda: ExportDialog(path, Scope(), table="ablation"), (160, 40)) as pilot:
        assert squashed("File name too long") in await write_to(pilot, "a" * 300 + ".csv")
