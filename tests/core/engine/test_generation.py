"""Texts that a model writes under many coalitions, against lm-eval's own model with the same players silenced."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from transformers import GenerationConfig

from core.coalitions.players import Removed
from core.engine.caching_law import caching_way
from core.engine.continuing import Continuer
from core.engine.decoder import Decoder
from core.engine.encoding import EncodingFaultError, RequestEncoder
from core.engine.generation import Generator
from core.engine.load import LoadedModel, load_model
from core.engine.removal import removed_from
from core.engine.sweep import ignore_batches
from core.engine.sweep_sizes import SweepSizes
from core.models.lookup import ModelSource
from tests.support.decoder_expected import OF_DECODERS
from tests.support.decoder_folder import decoder_folder
from tests.support.decoder_types import tiny_decoder
from tests.support.swept import layout_in_use, some_coalitions

TASKS = Path(__file__).parents[3] / "docs" / "tasks.md"

SIZES = SweepSizes(row_tokens=96, batch_tokens=256, chunk_tokens=96, state_tokens=10**5)
PROMPT = "the river runs past seven grey houses and a mill"
KINDS = {
    "llama": "shared",
    "mistral": "shared",
    "mixtral": "shared",
    "gemma3_text": "shared",
    "falcon_h1": "shared",
    "lfm2": "shared",
    "nemotron_h": "shared",
    "mamba2": "shared",
    "hy_v4": "cached",
    "recurrent_gemma": "whole",
}
"""Kinds of models, with windows, experts, convolutions and states, and the fastest way that is right for each."""


def request(prompt: str, tokens: int = 12, **settings: object) -> Instance:
    kwargs = {"until": ["\n\n"], "do_sample": False, "max_gen_toks": tokens, **settings}
    return Instance("generate_until", {}, (prompt, kwargs), 0)


def written(model: LoadedModel, instance: Instance, coalitions: list[Removed], sizes: SweepSizes = SIZES) -> list[str]:
    encoder = RequestEncoder(model)
    found = model.generator.continuations(encoder.encode_prompt(instance), coalitions, encoder, sizes, ignore_batches)
    assert all(one.sound for one in found)
    return [encoder.text(instance, one.tokens) for one in found]


def by_lm_eval(model: LoadedModel, instance: Instance, coalitions: list[Removed]) -> list[str]:
    lm = HFLM(pretrained=model.model, tokenizer=model.tokenizer, batch_size=1)
    texts = []
    for removed in coalitions:
        with removed_from(model.model, model.layout, removed), torch.inference_mode():
            texts += lm.generate_until([instance], disable_tqdm=True)
    return texts


@pytest.mark.slow
@pytest.mark.parametrize(("name", "way"), [("gpt_oss", "shared"), ("llama4_text", "shared"), ("jetmoe", "whole")])
def test_single_experts_are_removed_from_texts_too(name: str, way: str, tmp_path: Path) -> None:
    source = ModelSource(name, decoder_folder(name, tmp_path / name), name, None)
    model = load_model(source, expert_layers="all")
    experts = [player.number for player in model.players if player.kind == "expert"]
    coalitions = [
        (),
        *((expert,) for expert in experts[:6]),
        tuple(experts[:-1]),
        tuple(experts[::2]),
        (0, experts[-1]),
    ]
    instance = request(PROMPT)
    ours, theirs = written(model, instance, coalitions), by_lm_eval(model, instance, coalitions)
    assert ours == theirs
    assert len(set(ours)) > 3, "the texts hardly depend on the experts"
    assert model.generator.way == way


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_of_model_writes_what_lm_eval_has_it_write(name: str, tmp_path: Path) -> None:
    model = load_model(ModelSource(name, decoder_folder(name, tmp_path / name), name, None))
    coalitions = some_coalitions(len(model.players))
    instance = request(PROMPT)
    assert caching_way(model.decoder()) == KINDS[name]
    ours, theirs = written(model, instance, coalitions), by_lm_eval(model, instance, coalitions)
    assert ours == theirs
    assert len(set(ours)) > 3, "the texts hardly depend on what is removed"


def test_an_attention_that_picks_other_keys_as_the_text_grows_writes_what_lm_eval_has_it_write(tmp_path: Path) -> None:
    folder = decoder_folder("deepseek_v32", tmp_path / "picks", index_topk=16, index_n_heads=2)
    model = load_model(ModelSource("picks", folder, "picks", None))
    coalitions, instance = some_coalitions(len(model.players)), request(f"{PROMPT} and {PROMPT}", 16)
    assert written(model, instance, coalitions) == by_lm_eval(model, instance, coalitions)
    assert model.generator.way == "shared"


@pytest.fixture(scope="module")
def tiny(tiny_model_folder: Path) -> LoadedModel:
    return load_model(ModelSource("tiny", tiny_model_folder, "tiny", None))


def test_a_text_ends_where_lm_eval_ends_it(tiny: LoadedModel) -> None:
    (whole,) = written(tiny, request(PROMPT, 30), [()])
    for stop in (whole[9:12], whole[20:21], whole[0]):
        instance = request(PROMPT, 30, until=["never", stop])
        (cut,) = written(tiny, instance, [()])
        assert cut == by_lm_eval(tiny, instance, [()])[0] == whole.split(stop)[0]
        encoder = RequestEncoder(tiny)
        (found,) = tiny.generator.continuations(encoder.encode_prompt(instance), [()], encoder, SIZES, ignore_batches)
        assert len(found.tokens) < 30, "it should not have gone on"


def test_a_prompt_that_is_too_long_loses_its_beginning_as_in_lm_eval(tiny: LoadedModel) -> None:
    instance = request(" ".join(f"{PROMPT} {number}" for number in range(80)), 20)
    prompt = RequestEncoder(tiny).encode_prompt(instance)
    assert (len(prompt.tokens), prompt.most_new) == (512 - 20, 20)
    coalitions: list[Removed] = [(), (0,), (5,)]
    assert written(tiny, instance, coalitions) == by_lm_eval(tiny, instance, coalitions)


def test_without_a_bound_the_answer_may_have_256_tokens_as_in_lm_eval(tiny: LoadedModel) -> None:
    instance = Instance("generate_until", {}, (PROMPT, {"until": []}), 0)
    assert RequestEncoder(tiny).encode_prompt(instance).most_new == 256


@pytest.mark.slow
def test_the_texts_do_not_depend_on_how_many_are_written_at_once(tiny: LoadedModel) -> None:
    coalitions = some_coalitions(len(tiny.players))
    instance = request(PROMPT, 20)
    together = written(tiny, instance, coalitions)
    least = replace(SIZES, batch_tokens=16, state_tokens=16)
    assert written(tiny, instance, coalitions, least) == together
    assert written(tiny, instance, coalitions[::-1]) == together[::-1]
    assert [written(tiny, instance, [removed])[0] for removed in coalitions] == together


def test_the_ways_that_are_slower_write_the_same(tiny: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    coalitions = some_coalitions(len(tiny.players))
    instance = request(PROMPT, 20)
    encoder = RequestEncoder(tiny)
    texts = {}
    for way in ("shared", "cached", "whole"):
        monkeypatch.setattr("core.engine.generation.caching_way", lambda _decoder, way=way: way)
        generator = Generator(tiny.decoder())
        assert generator.way == way
        found = generator.continuations(encoder.encode_prompt(instance), coalitions, encoder, SIZES, ignore_batches)
        texts[way] = [one.tokens for one in found]
    assert texts["shared"] == texts["cached"] == texts["whole"]


def test_a_way_that_is_wrong_for_a_model_is_not_taken(tiny: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    first_layer = Continuer.first_layer
    monkeypatch.setattr(Continuer, "first_layer", lambda self, removed: min(first_layer(self, removed) + 1, 4))
    assert caching_way(tiny.decoder()) == "cached"


def test_the_work_is_told_and_may_end_between_tokens(tiny: LoadedModel) -> None:
    class Enough(Exception):  # noqa: N818
        pass

    told: list[float] = []
    encoder = RequestEncoder(tiny)
    prompt = encoder.encode_prompt(request(PROMPT, 20))
    tiny.generator.continuations(prompt, [(), (0,), (5,)], encoder, SIZES, told.append)
    assert told == sorted(told)
    assert len(told) > 20
    assert told[-1] == pytest.approx(1)

    def end(part: float) -> None:
        if part > 0.5:
            raise Enough

    with pytest.raises(Enough):
        tiny.generator.continuations(prompt, [(), (0,), (5,)], encoder, SIZES, end)
    assert written(tiny, request(PROMPT, 20), [(0,)]) == by_lm_eval(tiny, request(PROMPT, 20), [(0,)])


def test_the_models_own_settings_count_as_in_lm_eval(tiny_model_folder: Path) -> None:
    model = load_model(ModelSource("tiny", tiny_model_folder, "tiny", None))
    instance, coalitions = request(PROMPT, 20), [(), (3,)]
    plain = written(model, instance, coalitions)
    model.model.generation_config = GenerationConfig(repetition_penalty=1.5, eos_token_id=2)
    assert "repetition_penalty" in RequestEncoder(model).generation_settings
    changed = written(model, instance, coalitions)
    assert changed == by_lm_eval(model, instance, coalitions)
    assert changed != plain
    model.model.generation_config = GenerationConfig(num_beams=3)
    with pytest.raises(EncodingFaultError, match="written by beam search"):
        written(model, instance, coalitions)


def test_a_model_without_numbers_writes_nothing(tiny_model_folder: Path) -> None:
    model = load_model(ModelSource("tiny", tiny_model_folder, "tiny", None))
    generator, encoder = model.generator, RequestEncoder(model)
    with torch.no_grad():
        model.model.model.layers[2].mlp.down_proj.weight.fill_(float("nan"))
    prompt = encoder.encode_prompt(request(PROMPT))
    spoiled, sound = generator.continuations(prompt, [(), (5,)], encoder, SIZES, ignore_batches)
    assert (spoiled.sound, spoiled.tokens) == (False, ())
    assert (sound.sound, len(sound.tokens)) == (True, 12)


def test_what_cannot_be_continued_is_refused(tiny: LoadedModel) -> None:
    encoder = RequestEncoder(tiny)
    with pytest.raises(EncodingFaultError, match="longer than the model's context of 512 tokens"):
        encoder.encode_prompt(request(PROMPT, 600))
    with pytest.raises(EncodingFaultError, match="its prompt has no token"):
        encoder.encode_prompt(request(""))


def test_a_model_whose_layers_are_on_disk_writes_the_same(tiny: LoadedModel, tiny_model_folder: Path) -> None:
    places: dict[str, str | int] = {"model.embed_tokens": "cpu", "model.norm": "cpu", "model.rotary_emb": "cpu"}
    places |= {"lm_head": "cpu", **{f"model.layers.{index}": "disk" if index else "cpu" for index in range(4)}}
    offloaded = load_model(ModelSource("tiny", tiny_model_folder, "tiny", None), device_map=places)
    assert offloaded.offloaded
    assert caching_way(offloaded.decoder()) == "shared"
    coalitions: list[Removed] = [(), (0,), (3, 4), (7,)]
    assert written(offloaded, request(PROMPT), coalitions) == written(tiny, request(PROMPT), coalitions)


@pytest.mark.slow
def test_in_a_16_bit_type_the_fast_way_is_taken_too(tiny_model_folder: Path) -> None:
    model = load_model(ModelSource("tiny", tiny_model_folder, "tiny", None), dtype="bfloat16")
    assert caching_way(model.decoder()) == "shared"
    coalitions: list[Removed] = [(0,), (3, 4), (7,)]
    alone = [written(model, request(PROMPT), [removed])[0] for removed in coalitions]
    assert alone == by_lm_eval(model, request(PROMPT), coalitions)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_way_that_does_not_remove_one_coalition_is_not_taken(
    dtype: str, tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_model(ModelSource("tiny", tiny_model_folder, "tiny", None), dtype=dtype)
    first_layer = Continuer.first_layer
    monkeypatch.setattr(
        Continuer, "first_layer", lambda self, removed: 1 if removed == (0,) else first_layer(self, removed)
    )
    assert caching_way(model.decoder()) == "cached"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"guidance_scale": 2.0}, "UnbatchedClassifierFreeGuidanceLogitsProcessor"),
        ({"max_time": 60.0}, "MaxTimeCriteria"),
        ({"return_dict_in_generate": True}, "return_dict_in_generate is set"),
        ({"num_beams": 3}, "beam search"),
        ({"no_such_setting": 3}, "transformers refuses the settings"),
        ({"max_length": 5}, "room for an answer|refuses the settings"),
    ],
)
def test_settings_that_are_no_greedy_search_are_refused_before_anything_is_written(
    settings: dict[str, object], said: str, tiny: LoadedModel
) -> None:
    with pytest.raises(EncodingFaultError, match=said):
        RequestEncoder(tiny).encode_prompt(request(PROMPT, **settings))


def test_a_models_own_bound_on_new_tokens_is_the_bound(tiny_model_folder: Path) -> None:
    model = load_model(ModelSource("tiny", tiny_model_folder, "tiny", None))
    model.model.generation_config = GenerationConfig(max_new_tokens=30, eos_token_id=2)
    instance, told = request(PROMPT, 12), list[float]()
    encoder = RequestEncoder(model)
    prompt = encoder.encode_prompt(instance)
    assert prompt.most_new == 30
    found = model.generator.continuations(prompt, [(), (0,)], encoder, SIZES, told.append)
    assert max(told) <= 1
    assert [encoder.text(instance, one.tokens) for one in found] == by_lm_eval(model, instance, [(), (0,)])


@pytest.mark.slow
def test_the_documentation_says_how_many_types_of_decoders_go_which_way() -> None:
    accepted = [name for name, expected in OF_DECODERS.items() if not expected.refused]
    ways = Counter(
        caching_way(Decoder(model, layout_in_use(model))) for model in (tiny_decoder(name) for name in accepted)
    )
    told = (
        f"Of the {ways.total()} decoder architectures, {ways['shared']} share, {ways['cached']} use their cache alone, "
        f"and {ways['whole']} read all again."
    )
    assert told in " ".join(TASKS.read_text(encoding="utf-8").split())
