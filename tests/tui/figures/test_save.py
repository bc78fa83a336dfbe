"""The files: whole, valid, of the right kind, the same bytes every time, with names that are only names."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from core.errors import CornerstoneError, Mend
from tests.support.figure_rows import LAYERS, ablation_rows, interaction_rows, shapley_rows
from tui.figures.ablation import ablation_figure
from tui.figures.interactions import interactions_figure
from tui.figures.save import save
from tui.figures.shapley import shapley_figure
from tui.figures.shares import shares_figure

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "$\\frac{1$ <b>&amp;[red]x[/] \x1b[31m\u202e\x00\ufffe 漢字"


def words(path: Path) -> list[str]:
    return ["".join(one.itertext()) for one in ElementTree.parse(path).iter(f"{SVG}text")]


def test_svg_is_valid_its_text_is_text_and_every_mark_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    save(ablation_figure(ablation_rows("boolq", "piqa")), path, force=False)
    written = words(path)
    assert {"boolq (n = 120)", "piqa (n = 120)", "attention", "FFN", "tiny", "layer removed"} <= set(written)
    groups = [one.get("id", "") for one in ElementTree.parse(path).iter(f"{SVG}g")]
    marks = sum(
        len(list(group.iter(f"{SVG}use")))
        for group in ElementTree.parse(path).iter(f"{SVG}g")
        if group.get("id", "").startswith("PathCollection")
    )
    assert any(name.startswith("PathCollection") for name in groups)
    assert marks == 2 * 2 * LAYERS
    assert "<dc:date>" not in path.read_text()


def test_pdf_embeds_its_fonts_as_truetype(tmp_path: Path) -> None:
    path = tmp_path / "a.PDF"
    save(shapley_figure(shapley_rows("boolq"), width="column"), path, force=False)
    content = path.read_bytes()
    assert content.startswith(b"%PDF-")
    assert b"/FontFile2" in content
    assert b"/Type3" not in content
    assert b"CreationDate" not in content
    (width,) = {float(found) for found in re.findall(rb"/MediaBox \[ ?0 0 ([\d.]+)", content)}
    assert width == pytest.approx(3.35 * 72, abs=0.1)


def test_png_is_as_large_as_a_print_wants(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    save(shares_figure(shapley_rows("boolq")), path, force=False)
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.width == 2070
        assert len(image.convert("RGB").getcolors(1_000_000) or []) > 50


@pytest.mark.slow
@pytest.mark.parametrize("draw", [ablation_figure, shapley_figure, shares_figure, interactions_figure])
def test_hostile_names_are_only_names(tmp_path: Path, draw: object) -> None:
    rows_of = {ablation_figure: ablation_rows, interactions_figure: interaction_rows}.get(draw, shapley_rows)  # type: ignore[arg-type]
    figure = draw(rows_of(HOSTILE, HOSTILE[::-1], model=HOSTILE))  # type: ignore[operator]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for form in ("svg", "pdf", "png"):
            save(figure, tmp_path / f"a.{form}", force=False)
    written = " ".join(words(tmp_path / "a.svg"))
    assert "$\\frac{1$ <b>&amp;[red]x[/]" in written
    assert "漢字" in written
    assert not any(char in written for char in "\x1b\u202e\x00\ufffe")


MAKE = """
import sys
from pathlib import Path
from tests.support.figure_rows import ablation_rows, interaction_rows, shapley_rows
from tui.figures.ablation import ablation_figure
from tui.figures.interactions import interactions_figure
from tui.figures.save import save
from tui.figures.shares import shares_figure
for name, figure in (
    ("a", ablation_figure(ablation_rows("x"))),
    ("b", shares_figure(shapley_rows("x"))),
    ("c", interactions_figure(interaction_rows("x"))),
):
    for form in ("svg", "pdf", "png"):
        save(figure, Path(sys.argv[1]) / f"{name}.{form}", force=True)
assert "matplotlib.pyplot" not in sys.modules
"""


@pytest.mark.slow
def test_the_same_rows_make_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    found = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        environment = {**os.environ, "PYTHONHASHSEED": seed, "DISPLAY": "", "SOURCE_DATE_EPOCH": seed * 9}
        subprocess.run([sys.executable, "-c", MAKE, str(folder)], check=True, env=environment)
        found.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert len(found[0]) == 9
    assert found[0] == found[1]


def test_a_file_that_is_there_is_kept_and_a_failure_leaves_nothing(tmp_path: Path) -> None:
    figure = ablation_figure(ablation_rows("x"))
    path = tmp_path / "a.svg"
    path.write_text("precious")
    with pytest.raises(CornerstoneError, match=r"a\.svg exists$") as refused:
        save(figure, path, force=False)
    assert refused.value.mend == Mend.REPLACE_FILE
    assert path.read_text() == "precious"
    save(figure, path, force=True)
    assert path.read_text().startswith("<?xml")
    with pytest.raises(CornerstoneError, match=r"let it end in \.svg, \.pdf or \.png"):
        save(figure, tmp_path / "a.jpg", force=False)
    with pytest.raises(CornerstoneError, match=r"cannot write .*: there is no folder"):
        save(figure, tmp_path / "nowhere" / "a.svg", force=False)
    folder = tmp_path / "b.svg"
    folder.mkdir()
    with pytest.raises(CornerstoneError, match="is a folder"):
        save(figure, folder, force=True)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.svg", "b.svg"]
