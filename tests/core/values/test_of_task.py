"""Which value a task is read by: decided in one place, the same for a study, the explorer and a reading."""

from __future__ import annotations

import pytest

from core.coalitions.players import players_of
from core.errors import CornerstoneError
from core.evaluator.live_task import LiveTask
from core.values.derived import derived_values
from core.values.of_task import accuracy_of, resolve, resolve_if_any, usable_values, values_of
from tests.support.store_records import KINDS, assignment, documents, task

DOCUMENTS = documents((2, 0, 1, 3))
CLOZE = documents([0], choices=1)


@pytest.mark.parametrize(
    ("means", "own"),
    [
        (("acc", "acc_norm"), "acc"),
        (("acc_norm", "acc"), "acc"),
        (("f", "g"), "f"),
        ((), "gold_logprob"),
    ],
)
def test_a_task_is_read_by_accuracy_else_its_first_mean_else_what_is_derived(means: tuple[str, ...], own: str) -> None:
    of = task(means=means)
    assert resolve(of, DOCUMENTS, None) == resolve_if_any(of, DOCUMENTS, None) == own
    assert LiveTask(assignment(DOCUMENTS, [()], of_task=of), players_of(KINDS)).value == own


def test_what_is_asked_for_comes_before_the_tasks_own() -> None:
    assert resolve(task(), DOCUMENTS, "margin") == "margin"
    assert resolve(task(), DOCUMENTS, "acc_norm") == "acc_norm"


def test_a_value_that_the_task_does_not_have_is_refused_with_those_it_has() -> None:
    for decide in (resolve, resolve_if_any):
        with pytest.raises(
            CornerstoneError, match=r"capitals has no value 'f1'; it has acc, acc_norm, gold_logprob, margin"
        ):
            decide(task(), DOCUMENTS, "f1")
        with pytest.raises(CornerstoneError, match=r"capitals has no value 'margin'; it has acc, acc_norm$"):
            decide(task(), CLOZE, "margin")
        with pytest.raises(CornerstoneError, match="capitals has no value 'acc'; it has none"):
            decide(task(means=()), CLOZE, "acc")
        with pytest.raises(CornerstoneError, match=r"no value 'gold_logprop'; did you mean gold_logprob\? it has acc,"):
            decide(task(), DOCUMENTS, "gold_logprop")


def test_a_task_without_any_value_is_refused_where_one_is_needed() -> None:
    assert usable_values(task(means=()), CLOZE) == ()
    assert resolve_if_any(task(means=()), CLOZE, None) is None
    with pytest.raises(CornerstoneError, match="capitals has no value: none of its metrics is a mean over documents"):
        resolve(task(means=()), CLOZE, None)


def test_documents_decide_whether_values_are_derived() -> None:
    assert usable_values(task(means=("ppl",)), CLOZE) == ("ppl",)
    assert usable_values(task(means=("ppl",)), DOCUMENTS) == ("ppl", *derived_values())


def test_a_mean_under_the_name_of_a_value_of_a_corpus_is_no_value() -> None:
    """A row tells its value by name alone, and whether lower is better follows from the name."""
    assert values_of(("acc", "bits_per_byte"), (), derives=False) == ("acc",)
    assert values_of((), ("bits_per_byte",), derives=False) == ("bits_per_byte",)
    assert values_of(("word_perplexity",), ("bits_per_byte",), derives=False) == ("bits_per_byte",)
    rolling = task("own", means=("bits_per_byte",), others=())
    assert resolve_if_any(rolling, (), None) is None
    with pytest.raises(CornerstoneError, match="own has no value 'bits_per_byte'; it has none"):
        resolve(rolling, (), "bits_per_byte")


@pytest.mark.parametrize(
    ("value", "means", "accuracy"),
    [
        ("acc", ("acc", "acc_norm"), "acc"),
        ("acc_norm", ("acc", "acc_norm"), "acc_norm"),
        ("margin", ("acc", "acc_norm"), "acc"),
        ("margin_norm", ("acc", "acc_norm"), "acc_norm"),
        ("margin_norm", ("acc",), "acc"),
        ("gold_logprob", ("acc_norm",), "acc_norm"),
        ("bleu", ("bleu", "exact_match"), "exact_match"),
        ("exact_match", ("acc", "exact_match"), "exact_match"),
        ("likelihood_diff", ("likelihood_diff",), None),
        ("bits_per_byte", (), None),
    ],
)
def test_a_value_goes_with_the_accuracy_that_compares_choices_as_it_does(
    value: str, means: tuple[str, ...], accuracy: str | None
) -> None:
    assert accuracy_of(value, means) == accuracy
