"""A sweep saves time and memory without changing a number: chunks, placement, kept states, several rows."""

from __future__ import annotations

import random
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import cpu_offload
from transformers import LlamaConfig, LlamaForCausalLM

from core.coalitions.players import Removed
from core.coalitions.schedules import windows
from core.engine import headroom
from core.engine import sweep as sweep_module
from core.engine.decoder import Decoder
from core.engine.encoding import RequestEncoder
from core.engine.intact_states import IntactStates
from core.engine.load import LoadedModel, load_model
from core.engine.onednn import faster
from core.engine.packing import Row, TokenRequest, pack
from core.engine.sizes import needed_bytes, sizes_for
from core.engine.sweep import sweep, sweep_rows
from core.engine.sweep_sizes import FEWEST, SweepSizes
from core.errors import CornerstoneError
from core.models.lookup import ModelSource
from core.records.memory_recorder import MemoryRecorder
from core.records.records import Outcome
from core.study import chunks as chunks_module
from core.study.chunks import ChunkEvaluator
from core.study.events import ChunkRecorded, MemoryShort, StudyEvent
from core.study.plan import Schedule
from core.study.study import Study
from core.tasks.build import build_task
from core.tasks.expand import source_of
from core.tasks.prepare import prepare_task
from tests.core.engine.test_decoder import TOLERANCE, model_of, plain_logprobs, some_documents
from tests.support.swept import layout_in_use
from tests.support.tiny_models import LAYERS, WINDOW, tiny_model

Outcomes = dict[tuple[str, Removed], Outcome]

COALITIONS = windows(2 * LAYERS, 3)
ROWS = [pack(some_documents(seed), WINDOW) for seed in (1, 2)]


def decoder_of(family: str) -> Decoder:
    model = model_of(family)
    return Decoder(model, layout_in_use(model))


@pytest.mark.parametrize("family", ["llama", "gemma2", "mixtral", "gpt2", "opt"])
def test_rows_swept_together_score_as_each_alone(family: str) -> None:
    decoder = decoder_of(family)
    together = sweep_rows(decoder, ROWS, COALITIONS, batch_tokens=64)
    for row, scores in zip(ROWS, together, strict=True):
        alone = sweep(decoder, row, COALITIONS, batch_tokens=64)
        np.testing.assert_allclose(scores.logprobs, alone.logprobs, atol=TOLERANCE, rtol=1e-5)
        np.testing.assert_array_equal(scores.is_greedy, alone.is_greedy)


@pytest.mark.parametrize("family", ["llama", "gemma3_text", "gpt_neox"])
def test_kept_states_of_the_intact_model_change_nothing(family: str) -> None:
    decoder, kept = decoder_of(family), IntactStates(10**9)
    for removed in [(), (5,), (2, 3), (7,), (0,)]:
        fresh = sweep(decoder, ROWS[0], [removed], batch_tokens=64)
        resumed = sweep(decoder, ROWS[0], [removed], batch_tokens=64, intact=kept)
        np.testing.assert_allclose(resumed.logprobs, fresh.logprobs, atol=TOLERANCE, rtol=1e-5)


def test_kept_states_spare_the_layers_below_the_first_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    decoder, kept = decoder_of("llama"), IntactStates(10**9)
    sweep(decoder, ROWS[0], [()], batch_tokens=64, intact=kept)
    called = []
    layer = Decoder.layer
    monkeypatch.setattr(
        Decoder,
        "layer",
        lambda self, index, *args, **kwargs: called.append(index) or layer(self, index, *args, **kwargs),
    )
    sweep(decoder, ROWS[0], [(2 * (LAYERS - 1),)], batch_tokens=64, intact=kept)
    assert set(called) == {LAYERS - 1}


def test_kept_states_stay_within_their_bounds() -> None:
    decoder, kept = decoder_of("llama"), IntactStates(0)
    sweep(decoder, ROWS[0], [()], batch_tokens=64, intact=kept)
    assert kept.of(ROWS[0])
    kept.trim()
    assert not kept.of(ROWS[0])


def layer_passes(layers: int) -> int:
    """Return how many states go through a layer in a sweep of all windows."""
    removed_bits = [sum(1 << player for player in removed) for removed in windows(2 * layers)]
    plan = [sweep_module._variants(2 * index, 2 * index + 2, removed_bits) for index in range(layers)]
    return sum(len(states) for variants in plan for lacks, states in variants.items() if lacks != 0b11)


def test_the_windows_of_60_players_need_half_the_layer_passes_and_their_number_is_quadratic_in_layers() -> None:
    assert layer_passes(30) == 3483 < 235 * 30 / 2
    counts = [layer_passes(layers) for layers in range(4, 12)]
    assert len(set(np.diff(counts, 2))) == 1


def test_a_sweep_takes_no_more_layer_passes_than_there_are_distinct_states(monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[int] = []
    layer = Decoder.layer

    def counted(self: Decoder, index: int, states: torch.Tensor, *args: object, **kwargs: object) -> torch.Tensor:
        passed.append(len(states))
        return layer(self, index, states, *args, **kwargs)  # type: ignore[arg-type]

    decoder = decoder_of("phi")
    monkeypatch.setattr(Decoder, "layer", counted)
    # Of a parallel family a layer is called once a batch, the last one too.
    sweep(decoder, ROWS[0], windows(2 * LAYERS), batch_tokens=64)
    assert sum(passed) == layer_passes(LAYERS)


def test_a_state_that_skips_a_layer_does_not_keep_the_batch_it_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, held = random.Random(0), []
    coalitions = [tuple(sorted(rng.sample(range(2 * LAYERS), LAYERS))) for _ in range(60)]
    through = sweep_module._through_layer

    def watched(*args: object) -> dict[int, torch.Tensor]:
        after: dict[int, torch.Tensor] = through(*args)  # type: ignore[arg-type]
        before: dict[int, torch.Tensor] = args[3]  # type: ignore[assignment]
        for states in (before, after):
            storages = {state.untyped_storage().data_ptr(): state.untyped_storage() for state in states.values()}
            held.append(sum(one.nbytes() for one in storages.values()) / sum(state.nbytes for state in states.values()))
        return after

    monkeypatch.setattr(sweep_module, "_through_layer", watched)
    sweep(decoder_of("llama"), ROWS[0], coalitions, batch_tokens=10_000)
    assert len(held) == 2 * LAYERS
    assert max(held) <= 1


@pytest.fixture(scope="module")
def resident(tiny_model_folder: Path) -> LoadedModel:
    return load_model(source(tiny_model_folder))


def source(folder: Path) -> ModelSource:
    return ModelSource("tiny", folder, str(folder), None)


def study(model: LoadedModel, how: SweepSizes) -> tuple[list[StudyEvent], Outcomes]:
    encoder, recorder = RequestEncoder(model), MemoryRecorder()
    built = build_task("capitals", source_of("capitals"), data=None, num_fewshot=None, offline=True, narrate=print)
    task = prepare_task(built, encoder, limit=6, order="file", seed=0, apply_chat_template=False)
    schedule = Schedule("windows", tuple(windows(len(model.players), 3)))
    events = list(Study(ChunkEvaluator(model, encoder, how), (task,), [schedule]).run("run", recorder))
    return events, recorder.outcomes


SIZES = SweepSizes(row_tokens=96, batch_tokens=512, chunk_tokens=96, state_tokens=100_000)


@pytest.fixture(scope="module")
def truth(resident: LoadedModel) -> Outcomes:
    return study(resident, SIZES)[1]


def assert_same(found: Outcomes, truth: Outcomes) -> None:
    assert found.keys() == truth.keys()
    for key, outcome in truth.items():
        np.testing.assert_allclose(found[key].logprobs, outcome.logprobs, atol=TOLERANCE, rtol=1e-5)
        first, second = sorted(outcome.logprobs)[-2:][::-1]
        assert found[key].metrics == outcome.metrics or first - second < 2 * TOLERANCE


@pytest.mark.parametrize(
    "how",
    [
        replace(SIZES, row_tokens=1, chunk_tokens=1),
        replace(SIZES, chunk_tokens=10_000),
        replace(SIZES, row_tokens=16, chunk_tokens=64, batch_tokens=7),
        replace(SIZES, state_tokens=40),
    ],
)
def test_sizes_change_nothing(resident: LoadedModel, truth: Outcomes, how: SweepSizes) -> None:
    assert_same(study(resident, how)[1], truth)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("full"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
        RuntimeError("could not create a primitive"),
        MemoryError("Unable to allocate 9 GiB for an array"),
    ],
)
def test_out_of_memory_halves_the_chunk_says_so_once_and_goes_on(
    resident: LoadedModel,
    truth: Outcomes,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
) -> None:
    layer = Decoder.layer

    def small(self: Decoder, index: int, states: torch.Tensor, *args: object, **kwargs: object) -> torch.Tensor:
        if states.shape[0] * states.shape[1] > 100:
            raise error
        return layer(self, index, states, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Decoder, "layer", small)
    events, outcomes = study(resident, SIZES)
    assert sum(isinstance(event, MemoryShort) for event in events) == 1
    assert sum(isinstance(event, ChunkRecorded) for event in events) > 1
    assert_same(outcomes, truth)


def test_a_chunk_that_the_free_memory_does_not_hold_is_halved_before_it_is_tried(
    resident: LoadedModel, truth: Outcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With batches of the smallest size, states alone make the difference.
    whole = replace(SIZES, chunk_tokens=10_000, batch_tokens=16)
    largest = 0
    free = needed_bytes(resident.model, whole, states=400)
    sweep_chunk = chunks_module.sweep_rows

    def watched(decoder: Decoder, rows: Sequence[Row], coalitions: Sequence[Removed], **more: object) -> object:
        nonlocal largest
        largest = max(largest, sum(map(len, rows)) * len(coalitions))
        return sweep_chunk(decoder, rows, coalitions, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(chunks_module, "sweep_rows", watched)
    monkeypatch.setattr(headroom, "_resident", lambda: 0)
    study(resident, whole)
    assert largest > 400
    largest = 0
    monkeypatch.setattr(headroom, "free_memory", lambda: free)
    events, outcomes = study(resident, whole)
    assert largest <= 400
    assert sum(isinstance(event, MemoryShort) for event in events) == 1
    assert_same(outcomes, truth)
    monkeypatch.setattr(headroom, "free_memory", lambda: 1000)
    with pytest.raises(CornerstoneError, match="does not suffice to evaluate one document on tiny"):
        study(resident, whole)


def test_memory_for_nothing_is_a_sentence_and_other_faults_are_not_hidden(
    resident: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_kwargs: object) -> torch.Tensor:
        raise torch.OutOfMemoryError("full")

    monkeypatch.setattr(Decoder, "layer", full)
    with pytest.raises(CornerstoneError, match="does not suffice to evaluate one document on tiny"):
        study(resident, SIZES)

    def broken(*_args: object, **_kwargs: object) -> torch.Tensor:
        raise RuntimeError("shapes do not fit")

    monkeypatch.setattr(Decoder, "layer", broken)
    with pytest.raises(RuntimeError, match="shapes do not fit"):
        study(resident, SIZES)


def test_offloaded_equals_resident_and_each_layer_is_brought_in_once_a_chunk(
    tiny_model_folder: Path,
    truth: Outcomes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    layers = {f"model.layers.{index}": "disk" for index in range(4)}
    device_map = {
        "model.embed_tokens": "cpu",
        "model.rotary_emb": "cpu",
        "model.norm": "cpu",
        "lm_head": "cpu",
        **layers,
    }
    model = load_model(source(tiny_model_folder), device_map=device_map)
    assert model.offloaded
    loads: list[int] = []
    loaded = Decoder.loaded
    monkeypatch.setattr(
        Decoder, "loaded", lambda self, index, tokens: loads.append(index) or loaded(self, index, tokens)
    )
    reads = count_reads(model)
    # One chunk of one row, or of several: the layers are read as often as there are chunks.
    for how, chunks in ((replace(SIZES, chunk_tokens=10_000), 1), (replace(SIZES, chunk_tokens=60), None)):
        loads.clear()
        reads.clear()
        events, outcomes = study(model, how)
        number = sum(isinstance(event, ChunkRecorded) for event in events)
        assert chunks is None or number == chunks
        assert loads == [*range(4)] * number
        weights = {name for name in reads if "layers" in name}
        assert {reads[name] for name in weights} == {number}
        assert_same(outcomes, truth)


def test_what_is_around_the_layers_is_brought_in_twice_a_chunk_whatever_is_scored(
    tiny_model_folder: Path, truth: Outcomes
) -> None:
    places = {"model.rotary_emb": "cpu"}
    for name in ("model.embed_tokens", "model.norm", "lm_head", *(f"model.layers.{index}" for index in range(4))):
        places[name] = "disk"
    model = load_model(source(tiny_model_folder), device_map=places)
    reads = count_reads(model)
    # Small batches want many calls of the head, small rows many of the embeddings.
    events, outcomes = study(model, replace(SIZES, chunk_tokens=10_000, row_tokens=16, batch_tokens=16))
    assert sum(isinstance(event, ChunkRecorded) for event in events) == 1
    ends = {"model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"}
    assert {name: count for name, count in reads.items() if "layers" not in name} == dict.fromkeys(ends, 2)
    assert_same(outcomes, truth)


def count_reads(model: LoadedModel) -> dict[str, int]:
    """Count how often each offloaded weight is read, through the maps that accelerate's hooks read them from."""
    counts: dict[str, int] = {}

    class Counting:
        def __init__(self, inner: object, prefix: str) -> None:
            self.inner, self.prefix = inner, prefix

        def __getitem__(self, key: str) -> torch.Tensor:
            name = self.prefix + key
            counts[name] = counts.get(name, 0) + 1
            return self.inner[key]  # type: ignore[index, no-any-return]

        def __contains__(self, key: str) -> bool:
            return key in self.inner  # type: ignore[operator]

    for name, module in model.model.named_modules():
        hook = getattr(module, "_hf_hook", None)
        if hook is not None and getattr(hook, "offload", False):
            hook.weights_map = Counting(hook.weights_map, f"{name}.")
    return counts


def test_requests_longer_than_the_window_lose_their_beginning() -> None:
    model = model_of("llama")
    long = TokenRequest(tuple(2 + i % 90 for i in range(WINDOW + 20)), (3, 4))
    scores = sweep(decoder_of("llama"), pack([[long, TokenRequest((5, 6), (7,))]], WINDOW), [(), (3,)], batch_tokens=64)
    for index, removed in enumerate([(), (3,)]):
        expected = plain_logprobs(model, [[long, TokenRequest((5, 6), (7,))]], removed)
        np.testing.assert_allclose(scores.logprobs[index], expected, atol=TOLERANCE, rtol=1e-5)


def test_the_memory_given_bounds_the_states(resident: LoadedModel) -> None:
    state_bytes = 2 * resident.model.config.hidden_size * 4
    generous, tight, tiny = (sizes_for(resident.model, offloaded=False, memory=size) for size in (2.0, 0.05, 0.005))
    assert tiny.batch_tokens < generous.batch_tokens
    assert 0.02 * 2**30 < tight.state_tokens * state_bytes < 0.05 * 2**30
    offloaded = sizes_for(resident.model, offloaded=True, memory=0.05)
    assert offloaded.chunk_tokens == offloaded.state_tokens
    halved = tight
    while (smaller := halved.halved()) is not None:
        assert smaller.state_tokens < halved.state_tokens or smaller.batch_tokens < halved.batch_tokens
        halved = smaller
    assert max(halved.batch_tokens, halved.state_tokens) <= FEWEST


def test_weights_are_laid_out_where_memory_suffices_for_that_and_for_the_sweep() -> None:
    # The sizes of a 7B model, without its weights.
    with torch.device("meta"):
        model = LlamaForCausalLM(LlamaConfig(num_hidden_layers=1))
    half = deepcopy(model).to(torch.float16)
    for memory in (0.5, 1.0, 1.5, 2.0, 4.0, 8.0):
        one, other = (sizes_for(each, offloaded=False, memory=memory) for each in (model, half))
        assert not other.laid_out
        assert one.laid_out == (faster(torch.device("cpu"), torch.float32) and memory > 2.5)
        assert one.batch_tokens >= other.batch_tokens / 2
        # A state takes twice as much in float32, and what is laid out half of the memory at the most.
        assert one.state_tokens >= other.state_tokens / 8
        assert one.halved().laid_out == one.laid_out


@pytest.mark.parametrize("worth", [0, 10**9], ids=["weights laid out", "weights as they are"])
@pytest.mark.parametrize("offloaded", [False, True])
def test_a_sweep_that_comes_between_two_batches_leaves_the_other_as_it_was(
    monkeypatch: pytest.MonkeyPatch, worth: int, *, offloaded: bool
) -> None:
    monkeypatch.setattr("core.engine.decoder.WORTH_PACKING", worth)
    model, row, coalitions = tiny_model("llama"), pack(some_documents(1), WINDOW), windows(8, 2)
    truth = sweep(Decoder(model, layout_in_use(model)), row, coalitions, batch_tokens=64)
    if offloaded:
        cpu_offload(model, execution_device=torch.device("cpu"))
    decoder, between = Decoder(model, layout_in_use(model)), []

    def on_batch(_part: float) -> None:
        between.append(sweep(decoder, row, [(3,)], batch_tokens=64).logprobs[0])

    found = sweep(decoder, row, coalitions, batch_tokens=64, on_batch=on_batch)
    np.testing.assert_allclose(found.logprobs, truth.logprobs, atol=1e-4)
    assert len(between) > len(coalitions)
    for logprobs in between:
        np.testing.assert_allclose(logprobs, truth.logprobs[coalitions.index((3,))], atol=1e-4)


def test_an_attention_that_holds_all_its_scores_gets_smaller_batches() -> None:
    fused, eager = tiny_model("llama"), tiny_model("llama")
    eager.set_attn_implementation("eager")
    assert fused.config._attn_implementation == "sdpa"
    one, other = (sizes_for(model, offloaded=False, memory=0.02) for model in (fused, eager))
    assert other.batch_tokens < one.batch_tokens
    # Scores of all heads, a batch's tokens against a row's.
    assert other.batch_tokens * 512 * eager.config.num_attention_heads * 4 < 0.02 * 2**30
