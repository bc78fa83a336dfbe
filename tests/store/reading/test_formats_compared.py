"""Number formats compared, in a real store: against plain arithmetic on raw outcomes, and what is said of gaps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from core.coalitions.players import Removed
from core.coalitions.schedules import ablation, windows
from core.config.run_config import RunConfig
from core.errors import CornerstoneError
from core.records.records import DocumentRecord
from store.comparison_rows import FormatRow
from store.results import Results, Selection
from store.study import run_study
from tests.support.small_model import LAYERS, small_model
from tests.support.store_records import (
    KINDS,
    PLAYERS,
    assignment,
    documents,
    keep,
    model,
    outcome,
    task,
    to_run,
)
from tests.support.two_formats import FORMATS, by_windows, counted, drawn, raw, stored

SETS = windows(PLAYERS, 2)


def only(path: Path, **options: object) -> FormatRow:
    (row,) = Results(path).formats(max_removed=2, **options).rows  # type: ignore[arg-type]
    return row


def columns(row: FormatRow, names: dict[str, float]) -> dict[str, object]:
    return {name: getattr(row, name) for name in names}


@pytest.fixture
def partly(path: Path) -> Path:
    """Return a store whose formats share 26 documents under 12 coalitions; each has others of its own, too."""
    stored(path, "float32", range(30), [*SETS])
    stored(path, "bfloat16", range(4, 35), [*SETS, (0, 2, 4)])
    return path


def test_all_numbers_are_those_of_plain_arithmetic_on_the_raw_outcomes(partly: Path) -> None:
    row = only(partly)
    assert (row.model, row.task, row.value, row.accuracy) == ("tiny", "capitals", "acc", "acc")
    assert (row.reference, row.other, row.reference_model, row.max_removed, row.k) == (
        "float32", "bfloat16", "tiny", 2, 3,
    )  # fmt: skip
    wanted = counted(partly, "float32", "bfloat16")
    assert (wanted["documents"], wanted["coalitions"], wanted["outcomes"]) == (26, len(SETS), 26 * len(SETS))
    assert wanted["flips"] > 0
    assert columns(row, wanted) == pytest.approx(wanted)
    phi = by_windows(partly, ("float32", "bfloat16"), PLAYERS, 2)
    assert phi["n"] == 26
    del phi["common"]  # players tie in accuracy, and in no log-probability
    assert columns(row, phi) == pytest.approx(phi)
    by_logprob = by_windows(partly, ("float32", "bfloat16"), PLAYERS, 2, "gold_logprob")
    assert columns(only(partly, value="gold_logprob"), by_logprob) == pytest.approx(by_logprob)
    assert row.phi_player is not None
    for name in ("rho", "common"):
        value, low, high = (getattr(row, name + end) for end in ("", "_low", "_high"))
        assert low <= value <= high


def test_outcomes_that_only_one_format_has_do_not_count(path: Path) -> None:
    stored(path, "float32", range(6), SETS)
    stored(path, "bfloat16", range(6), SETS[:3])
    stored(path, "bfloat16", range(2, 6), SETS, replace(model(dtype="bfloat16"), fingerprint="other", source="else"))
    row = only(path)
    assert (row.documents, row.coalitions, row.outcomes) == (6, 3, 18)


@pytest.mark.slow
def test_a_real_model_in_float32_and_bfloat16(tmp_path: Path) -> None:
    folder, store = small_model(tmp_path / "small"), tmp_path / "s.duckdb"
    keys = {"model": str(folder), "tasks": "agreement", "limit": 6, "schedule": "windows", "max_removed": 2}
    for dtype in ("bfloat16", "float32"):
        list(run_study({**keys, "dtype": dtype}, store))
    players = 2 * LAYERS
    answer = Results(store).formats(max_removed=2)
    (row,) = answer.rows
    assert (answer.gaps, answer.partial) == ((), ())
    assert (row.model, row.reference, row.other) == ("small", "float32", "bfloat16")
    wanted = counted(store, "float32", "bfloat16")
    assert wanted["outcomes"] == 6 * len(windows(players, 2))
    assert columns(row, wanted) == pytest.approx(wanted)
    # bfloat16 keeps 8 bits of a number, so log-probabilities of some -50 nats differ, and not by much.
    assert row.logprob_median is not None
    assert 1e-4 < row.logprob_median < 5
    by_logprob = only(store, value="gold_logprob")
    phi = by_windows(store, ("float32", "bfloat16"), players, 2, "gold_logprob")
    assert phi["phi_difference"] > 0
    assert columns(by_logprob, phi) == pytest.approx(phi)
    assert (by_logprob.flips, by_logprob.accuracy) == (row.flips, "acc")


def test_a_format_compared_with_the_same_numbers_changes_nothing(path: Path) -> None:
    for dtype in ("float32", "float16"):
        asked = assignment(documents(range(8)), SETS, of_model=model(dtype=dtype))
        keep(path, asked, [drawn("float32")(d, r) for r in SETS for d in asked.documents], run_id=dtype)
    row = only(path)
    assert (row.flips, row.flip_share, row.logprob_median, row.logprob_largest) == (0, 0, 0, 0)
    assert (row.phi_difference, row.phi_player, row.rho, row.common) == (0, None, pytest.approx(1), pytest.approx(3))


def test_every_two_formats_have_a_row_and_the_finest_is_the_reference(path: Path) -> None:
    for dtype in ("bfloat16", "float16", "float32"):
        stored(path, dtype, range(4), SETS)
    rows = Results(path).formats(max_removed=2).rows
    assert [(row.reference, row.other) for row in rows] == [
        ("float32", "float16"), ("float32", "bfloat16"), ("float16", "bfloat16"),
    ]  # fmt: skip
    ids = {row.other: row.model_id for row in rows}
    chosen = Results(path).formats(Selection(model=f"tiny@{ids['float16']}"), max_removed=2).rows
    assert [(row.reference, row.other) for row in chosen] == [("float32", "float16"), ("float16", "bfloat16")]
    assert Results(path).formats(Selection(model="tiny", task="capitals"), max_removed=2).rows == rows


def test_accuracy_is_the_one_of_the_value(path: Path) -> None:
    stored(path, "float32", range(8), SETS)
    stored(path, "bfloat16", range(8), SETS)
    found = {value: only(path, value=value) for value in ("acc", "acc_norm", "margin", "gold_logprob_norm")}
    assert {value: row.accuracy for value, row in found.items()} == {
        "acc": "acc", "acc_norm": "acc_norm", "margin": "acc", "gold_logprob_norm": "acc_norm",
    }  # fmt: skip
    # acc_norm is 1 - acc in these outcomes, so the same ones flip.
    assert len({row.flips for row in found.values()}) == 1
    assert found["acc"].phi_difference != pytest.approx(found["margin"].phi_difference)


def test_what_a_task_does_not_have_is_null(path: Path) -> None:
    own = task("surprise", means=("likelihood",))
    for dtype, moved in (("float32", 0.0), ("bfloat16", 0.25)):
        docs = documents(range(4), choices=1)
        kept = [
            outcome(d.key, r, logprobs=(-1.0,), metrics={"likelihood": d.doc_id + len(r) + moved * sum(r)})
            for r in SETS for d in docs
        ]  # fmt: skip
        keep(path, assignment(docs, SETS, of_model=model(dtype=dtype), of_task=own), kept, run_id=dtype)
    row = only(path)
    assert (row.value, row.accuracy, row.flips, row.flip_share) == ("likelihood", None, None, None)
    assert (row.logprob_median, row.logprob_largest) == (None, None)
    # Player i adds -1 alone and with i + 1, less i / 4 in bfloat16.
    assert (row.phi_difference, row.phi_player) == (pytest.approx(5 / 4), "FFN 2")
    assert row.phi_se is None  # no document differs from another
    assert row.rho is None  # all players tie


def test_documents_without_one_right_choice_do_not_count_as_log_probabilities(path: Path) -> None:
    two = DocumentRecord("two", 50, (0, 1), "two right answers", ("a", "b", "c", "d"))
    for dtype, moved in (("float32", 0.0), ("bfloat16", 0.5)):
        docs = (*documents(range(3)), two)
        kept = [outcome(d.key, r, logprobs=[-1 - moved * (9 if d is two else 1)] * 4) for r in SETS for d in docs]
        keep(path, assignment(docs, SETS, of_model=model(dtype=dtype)), kept, run_id=dtype)
    answer = Results(path).formats(max_removed=2)
    assert [(row.documents, row.logprob_largest) for row in answer.rows] == [(4, pytest.approx(0.5))]
    assert "1 document has several right answers" in " ".join(answer.notes)


def test_shorter_windows_make_a_partial_answer_that_names_the_format_which_lacks_the_others(path: Path) -> None:
    stored(path, "float32", range(5), SETS)
    stored(path, "bfloat16", range(5), ablation(PLAYERS))
    answer = Results(path).formats(max_removed=2)
    (row,) = answer.rows
    assert (row.max_removed, row.n, row.coalitions) == (1, 5, PLAYERS + 1)
    (part,) = answer.partial
    assert part.what == (
        "tiny in bfloat16 on capitals: partial, from windows of up to 1, as 5 of 12 coalitions are missing for windows "
        "of up to 2"
    )
    assert part.fill == to_run(dtype="bfloat16", schedule="windows", max_removed=2)


def lacking() -> Iterator[tuple[str, list[Removed], str]]:
    yield "intact", SETS[1:], "the intact model, which every removal is measured against, is not stored"
    yield "some", SETS[:3], "9 of 12 coalitions are missing for windows of up to 2"


@pytest.mark.parametrize(("sets", "sentence"), [each[1:] for each in lacking()], ids=[each[0] for each in lacking()])
def test_without_windows_in_both_formats_shapley_values_are_null(
    path: Path, sets: list[Removed], sentence: str
) -> None:
    stored(path, "float32", range(5), SETS)
    stored(path, "bfloat16", range(5), sets)
    answer = Results(path).formats(max_removed=2)
    (row,) = answer.rows
    assert row.flips is not None
    assert [getattr(row, name) for name in ("max_removed", "n", "phi_difference", "phi_se", "rho", "common")] == [
        None
    ] * 6
    (gap,) = answer.gaps
    assert gap.what == f"tiny in bfloat16 on capitals: {sentence}"
    assert isinstance(gap.fill, RunConfig)
    assert gap.fill.dtype == "bfloat16"


def test_formats_without_a_document_in_common_are_a_gap_with_the_run_that_fills_it(path: Path) -> None:
    stored(path, "float32", range(5), SETS)
    stored(path, "bfloat16", range(5, 9), SETS)
    answer = Results(path).formats(max_removed=2)
    assert answer.rows == ()
    (gap,) = answer.gaps
    assert gap.what == "tiny in float32 on capitals: none of its documents and coalitions is stored in bfloat16 too"
    assert gap.fill == to_run(dtype="bfloat16", schedule="windows", max_removed=2)


def test_one_format_alone_is_a_gap_with_the_run_in_another_one(path: Path) -> None:
    stored(path, "float32", range(5), SETS)
    answer = Results(path).formats()
    assert answer.rows == ()
    (gap,) = answer.gaps
    assert gap.what == (
        "tiny on capitals: it is stored in float32 alone, so there is no other number format to compare"
    )
    assert isinstance(gap.fill, RunConfig)
    assert (gap.fill.model, gap.fill.dtype) == ("tiny", "bfloat16")
    # A model that was never meant to be compared is no gap beside one that is.
    stored(path, "float16", range(5), SETS)
    stored(path, "float32", range(5), SETS, model("lonely"))
    assert Results(path).formats(max_removed=2).gaps == ()
    (gap,) = Results(path).formats(Selection(model="lonely")).gaps
    assert gap.what.startswith("lonely on capitals: it is stored in float32 alone")


def test_other_weights_are_another_model_unless_they_are_named_as_the_reference(path: Path) -> None:
    whole, small = model("whole"), model("small", "bfloat16")
    odd = replace(model("odd", "bfloat16"), kinds=(*KINDS, ("attn", "ffn")))
    newer = replace(model("newer", "bfloat16"), source=whole.source, revision="2")
    stored(path, "float32", range(5), SETS, whole)
    for each in (small, odd, newer):
        stored(path, "bfloat16", range(5), SETS, each)
    assert Results(path).formats().rows == ()
    rows = Results(path).formats(Selection(model="small"), reference="whole", max_removed=2).rows
    assert [(row.reference_model, row.reference, row.model, row.other) for row in rows] == [
        ("whole", "float32", "small", "bfloat16")
    ]
    assert rows[0].flips == counted_of(path, whole.name, small.name)
    (gap,) = Results(path).formats(Selection(model="odd"), reference="whole").gaps
    assert gap.what == "no model with the players of the reference is stored on a task of the reference"


def counted_of(path: Path, one: str, other: str) -> int:
    """Count the flips between two models by name; ``raw`` reads by format, so the second is drawn again."""
    first = raw(path, "float32")
    again = {(d.key, r): drawn("bfloat16")(d, r).metrics["acc"] for d in documents(range(5)) for r in SETS}
    assert (one, other) == ("whole", "small")
    return sum(first[key][1] != right for key, right in again.items())


def test_a_model_whose_files_changed_between_runs_is_told(path: Path) -> None:
    for dtype in FORMATS[:2]:
        stored(path, dtype, range(5), SETS)
    stored(path, "float32", range(5), SETS, replace(model(), fingerprint="changed"))
    answer = Results(path).formats(max_removed=2)
    assert len(answer.rows) == 2
    (note,) = answer.notes
    assert note.startswith("tiny is stored as 2 models in float32 (")
    assert {row.reference_id for row in answer.rows} == set(note[note.index("(") + 1 : note.index(")")].split(", "))


def test_a_top_of_all_players_says_nothing(path: Path) -> None:
    for dtype in FORMATS[:2]:
        stored(path, dtype, range(5), SETS)
    assert only(path, top=PLAYERS).common is None
    assert only(path, top=PLAYERS - 1).common is not None


def test_a_wrong_question_is_one_sentence(partly: Path) -> None:
    results = Results(partly)
    with pytest.raises(CornerstoneError, match="a top has at least 1 player, not 0"):
        results.formats(top=0)
    with pytest.raises(CornerstoneError):
        results.formats(max_removed=9)
    for options, sentence in (
        ({"selection": Selection(model="tony")}, "no model 'tony' in the store; did you mean tiny?"),
        ({"reference": "tony"}, "no model 'tony' in the store; did you mean tiny?"),
        ({"selection": Selection(task="capital")}, "no task 'capital' in the store"),
        ({"value": "f2"}, "no value 'f2'"),
    ):
        with pytest.raises(CornerstoneError) as caught:
            results.formats(**options)  # type: ignore[arg-type]
        assert sentence in str(caught.value)
