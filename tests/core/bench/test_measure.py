"""The benchmark: its limit counts exactly the multiplications of a sweep, and it reports unequal outcomes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from core.bench import limit, loop
from core.bench.limit import distinct_work
from core.bench.measure import BenchReport, measure
from core.coalitions.players import Removed
from core.coalitions.schedules import windows
from core.config.run_config import load_config
from core.engine import onednn as products
from core.engine.decoder import Decoder
from core.engine.expert_players import with_expert_players
from core.engine.packing import Row, TokenRequest, pack
from core.engine.sweep import sweep
from core.errors import CornerstoneError
from core.study.workbench import Workbench, open_workbench
from tests.core.engine.test_decoder import some_documents
from tests.support.swept import layout_in_use
from tests.support.tiny_models import LAYERS, SETTINGS, WINDOW, tiny_model
from tui.commands.bench import print_reports


def by_onednn(inputs: torch.Size, weight: torch.Size, *_arguments: object, **_shapes: object) -> int:
    """Count a product of oneDNN, (..., in) by (out, in), which torch does not count itself."""
    return 2 * inputs.numel() * weight[0]


def multiplied(name: str, row: Row, coalitions: list[Removed], **settings: object) -> tuple[float, float]:
    """Return the operations of a sweep's matrix products, by torch's own count, and those of the distinct work."""
    model = tiny_model(name, **settings)
    model.set_attn_implementation("eager")  # its products are counted
    layout = layout_in_use(model)
    decoder = Decoder(model, layout)
    sweep(decoder, row, coalitions, batch_tokens=64)  # what is learnt of the model once is not counted
    with FlopCounterMode(display=False, custom_mapping={torch.ops.mkldnn._linear_pointwise: by_onednn}) as counter:
        sweep(decoder, row, coalitions, batch_tokens=64)
    return counter.get_total_flops(), distinct_work(model, layout, row, coalitions)


@pytest.fixture
def _rows_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not fill rows up, as the work of fuller rows is not that of their tokens alone."""
    monkeypatch.setattr(products, "ROWS", 1)


# Torch does not count the products of Mixtral's experts.
@pytest.mark.parametrize("name", sorted(set(SETTINGS) - {"mixtral"}))
@pytest.mark.usefixtures("_rows_as_they_are")
def test_a_sweep_of_one_token_multiplies_the_distinct_work_and_nothing_else(name: str) -> None:
    done, work = multiplied(name, pack([[TokenRequest((5,), (7,))]], WINDOW), windows(2 * LAYERS, 3))
    assert done == work


@pytest.mark.usefixtures("_rows_as_they_are")
def test_a_mixture_is_multiplied_once_for_each_set_of_its_experts() -> None:
    model = tiny_model("mixtral")
    model.set_attn_implementation("eager")
    model.set_experts_implementation("eager")  # torch counts its products
    layout = with_expert_players(model, layout_in_use(model), "1-2")
    row, decoder = pack([[TokenRequest((5,), (7,))]], WINDOW), Decoder(model, layout)
    coalitions = windows(layout.starts[-1], 3)
    sweep(decoder, row, coalitions, batch_tokens=64)
    with FlopCounterMode(display=False, custom_mapping={torch.ops.mkldnn._linear_pointwise: by_onednn}) as counter:
        sweep(decoder, row, coalitions, batch_tokens=64)
    assert counter.get_total_flops() == distinct_work(model, layout, row, coalitions)


@pytest.mark.usefixtures("_rows_as_they_are")
@pytest.mark.parametrize(("name", "seeing"), [("llama", "full full full full"), ("gemma2", "5 full 5 full")])
def test_of_attention_what_a_token_sees_is_counted(name: str, seeing: str) -> None:
    row = pack(some_documents(1)[:1], WINDOW)
    # Heads as wide together as twice the hidden states.
    done, work = multiplied(name, row, [()], head_dim=16)
    unseen = 0
    for layer in seeing.split():
        seen = row.visible()
        if layer != "full":
            seen &= row.positions[:, None] - row.positions[None, :] < int(layer)
        unseen += int((~seen).sum())
    # The last FFN runs on the scored positions alone; an attention multiplies all pairs, four heads, twice.
    assert done - work == unseen * 4 * 4 * 16


@pytest.fixture
def bench(tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    monkeypatch.setattr(limit, "_SIZE", {"cpu": 64})
    monkeypatch.setattr(loop, "BATCH_SIZES", (1, 4))
    options = {"model": str(tiny_model_folder), "tasks": ["capitals"], "limit": 4, "order": "file", "device": "cpu"}
    return open_workbench(load_config(None, options))


@pytest.mark.slow
def test_it_reports_both_sides_and_equal_outcomes(bench: Workbench, capsys: pytest.CaptureFixture[str]) -> None:
    report = measure(bench, bench.tasks[0], lambda _text: None)
    assert report.outcomes_equal
    assert report.max_logprob_difference is not None
    assert report.max_logprob_difference < 1e-3
    assert (report.documents, report.coalitions) == (4, len(windows(8)))
    assert report.speedup == report.lm_eval_seconds / report.seconds
    assert report.fraction_of_limit > 0
    assert report.peak_memory_bytes > 2**20
    print_reports([report], as_json=True)
    (printed,) = json.loads(capsys.readouterr().out)
    assert set(printed) == {field.name for field in fields(BenchReport)}
    assert {"speedup", "fraction_of_limit", "seconds", "lm_eval_seconds", "max_logprob_difference"} < set(printed)
    assert {"outcomes_equal", "peak_memory_bytes"} < set(printed)


@pytest.mark.slow
def test_in_a_16_bit_dtype_it_tells_how_many_answers_differ(
    bench: Workbench, capsys: pytest.CaptureFixture[str]
) -> None:
    half = open_workbench(bench.config.model_copy(update={"dtype": "bfloat16"}))
    report = measure(half, half.tasks[0], lambda _text: None, max_removed=1)
    assert (report.dtype, report.answers_compared) == ("bfloat16", 6 * 4)
    assert report.median_logprob_difference is not None
    assert report.max_logprob_difference is not None
    assert report.median_logprob_difference <= report.max_logprob_difference < 1
    print_reports([report], as_json=False)
    told = f"{report.answers_differ} of 24 answers differ as bfloat16 rounds, log-probabilities by "
    assert told in capsys.readouterr().out


@pytest.mark.slow
def test_a_sweep_that_is_wrong_is_not_called_equal(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    head = Decoder.head

    def sharper(self: Decoder, hidden: torch.Tensor) -> Iterator[torch.Tensor]:
        return (part * 1.1 for part in head(self, hidden))

    monkeypatch.setattr(Decoder, "head", sharper)
    report = measure(bench, bench.tasks[0], lambda _text: None, max_removed=1)
    assert not report.outcomes_equal
    assert report.max_logprob_difference is not None
    assert report.max_logprob_difference > 1e-2


@pytest.mark.slow
def test_a_rolling_log_likelihood_is_refused(tiny_model_folder: Path, tmp_path: Path) -> None:
    data = tmp_path / "rows.jsonl"
    data.write_text(json.dumps({"page": "the river runs past"}))
    bench = open_workbench(
        load_config(None, {"model": str(tiny_model_folder), "tasks": [f"wikitext={data}"], "device": "cpu"})
    )
    with pytest.raises(CornerstoneError, match="wikitext is a rolling log-likelihood"):
        measure(bench, bench.tasks[0], print)
