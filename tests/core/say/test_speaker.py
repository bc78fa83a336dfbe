"""What a model says, against ``generate`` and plain forwards of transformers with outputs of sublayers zeroed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import GenerationConfig

from core.coalitions.players import Removed
from core.engine.encoding import RequestEncoder
from core.engine.load import LoadedModel, load_model
from core.engine.verified_layout import layout_of
from core.errors import CornerstoneError
from core.models.families import HINTS
from core.models.lookup import ModelSource
from core.say.choosing import drawn
from core.say.said import Ask, Dialogue, Voice
from core.say.speaker import Speaker
from tests.support.decoder_folder import decoder_folder
from tests.support.expert_truth import experts_zeroed
from tests.support.plain_scores import outputs_zeroed

PROMPT = "the river runs past seven grey houses and a mill"
KINDS = ("llama", "gpt2", "mixtral", "gemma3_text", "falcon_h1", "nemotron_h", "mamba2", "hy_v4", "recurrent_gemma")
"""Kinds of models, with windows, experts, convolutions and states; the last two cannot share states."""


def said(speaker: Speaker, removed: Removed, prompt: str = PROMPT, **how: object) -> Dialogue:
    """Return what was said in the end."""
    ask = Ask.model_validate({"prompt": prompt, "tokens": 12, "chat": False, **how})
    *_, last = speaker.say(ask, removed)
    return last


def speaker_of(model: LoadedModel) -> Speaker:
    return Speaker(model, RequestEncoder(model))


def assert_said_as_plainly(voice: Voice, model: LoadedModel, text: str, *, most: int = 12) -> None:
    """Compare a voice with transformers as it stands; the caller has silenced the model's sublayers."""
    tokens = model.tokenizer(text, return_tensors="pt").input_ids
    with torch.inference_mode():
        written = model.model.generate(tokens, max_new_tokens=most, do_sample=False)[0, tokens.shape[1] :]
        logits = model.model(input_ids=tokens, use_cache=False).logits[0, -1].float()
    likely = logits.softmax(-1).topk(5)
    assert voice.text == model.tokenizer.decode(written, skip_special_tokens=True)
    assert voice.tokens == len(written)
    names = [(model.tokenizer.decode([one]), f"<token-{one}>") for one in likely.indices.tolist()]
    assert [token for token, _ in voice.top] == [other if "\ufffd" in text else text for text, other in names]
    assert [share for _, share in voice.top] == pytest.approx(likely.values.tolist(), abs=1e-4)


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_of_model_says_what_transformers_does(name: str, tmp_path: Path) -> None:
    model = load_model(ModelSource(name, decoder_folder(name, tmp_path / name), name, None))
    speaker = speaker_of(model)
    last = len(model.players) - 1
    texts = set()
    for removed in ((0,), (last,), (1, last // 2), tuple(range(1, last))):
        found = said(speaker, removed)
        assert_said_as_plainly(found.intact, model, PROMPT)
        with outputs_zeroed(model.model, model.layout, removed):
            assert_said_as_plainly(found.masked, model, PROMPT)
        texts |= {found.intact.text, found.masked.text}
    assert len(texts) > 2, "the texts hardly depend on what is removed"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["gpt_oss", "llama4_text", "jetmoe"])
def test_single_experts_are_silent_too(name: str, tmp_path: Path) -> None:
    source = ModelSource(name, decoder_folder(name, tmp_path / name), name, None)
    model = load_model(source, expert_layers="all")
    whole = layout_of(model.model, HINTS)
    speaker = speaker_of(model)
    experts = [player.number for player in model.players if player.kind == "expert"]
    texts = set()
    for removed in ((experts[0],), tuple(experts[::2]), tuple(experts[:-1]), (0, experts[-1])):
        found = said(speaker, removed)
        assert_said_as_plainly(found.intact, model, PROMPT)
        with experts_zeroed(model.model, model.layout, whole, removed):
            assert_said_as_plainly(found.masked, model, PROMPT)
        texts |= {found.intact.text, found.masked.text}
    assert len(texts) > 2, "the texts hardly depend on the experts"


@pytest.fixture(scope="module")
def tiny(tiny_model_folder: Path) -> LoadedModel:
    return load_model(ModelSource("tiny", tiny_model_folder, "tiny", None))


@pytest.fixture(scope="module")
def speaker(tiny: LoadedModel) -> Iterator[Speaker]:
    with ExitStack() as stack:
        one = speaker_of(tiny)
        stack.callback(one.close)
        yield one


def test_the_text_comes_token_by_token(speaker: Speaker) -> None:
    heard = list(speaker.say(Ask(prompt=PROMPT, tokens=9, chat=False), (2,)))
    assert [one.masked.tokens for one in heard] == list(range(10))
    assert [one.intact.end for one in heard] == [None] * 9 + ["length"]
    assert heard[-1].intact.text.startswith(heard[4].intact.text.rstrip("\ufffd"))
    assert len({one.masked.top for one in heard[1:]}) == 1, "the candidates are those after the prompt"


def test_with_nothing_removed_both_say_the_same(speaker: Speaker) -> None:
    found = said(speaker, (), seed=3)
    assert found.intact == found.masked
    assert found.intact.tokens == 12


def test_a_seed_draws_the_same_text_again_and_another_seed_another(speaker: Speaker) -> None:
    first, again, other = (said(speaker, (0,), seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.intact.text != other.intact.text
    assert first.intact.text != said(speaker, (0,)).intact.text
    assert first.intact.top == other.intact.top


def test_a_text_that_is_drawn_does_not_depend_on_what_is_drawn_beside_it(speaker: Speaker) -> None:
    assert said(speaker, (0,), seed=1).intact == said(speaker, (5,), seed=1).intact == said(speaker, (), seed=1).masked


def test_tokens_are_drawn_by_their_probabilities() -> None:
    scores = torch.tensor([[2.0, 1.0, 0.0, -1.0], [0.0, 0.0, 0.0, 3.0]])
    counted = [Counter[int](), Counter[int]()]
    draws = 4000
    for seed in range(draws):
        for row, token in enumerate(drawn(seed, 2.0)(seed % 7, scores).tolist()):
            counted[row][token] += 1
    for row, counts in enumerate(counted):
        shares = (scores[row].double() / 2).softmax(-1).numpy()
        spread = np.sqrt(shares * (1 - shares) / draws)
        found = np.array([counts[token] / draws for token in range(4)])
        assert (abs(found - shares) < 4.5 * spread).all(), (found, shares)


def test_models_that_agree_draw_the_same_token() -> None:
    scores = torch.randn(1, 50, generator=torch.Generator().manual_seed(0)).expand(2, -1)
    for seed in range(50):
        one, other = drawn(seed, 1.0)(3, scores).tolist()
        assert one == other


def test_a_low_temperature_is_close_to_greedy(speaker: Speaker) -> None:
    assert said(speaker, (1,), seed=5, temperature=1e-4).intact.text == said(speaker, (1,)).intact.text


@pytest.mark.slow
def test_the_end_of_a_text_ends_it(tiny_model_folder: Path) -> None:
    model = load_model(ModelSource("tiny", tiny_model_folder, "tiny", None))
    tokens = model.tokenizer(PROMPT, return_tensors="pt").input_ids
    with torch.inference_mode():
        written = model.model.generate(tokens, max_new_tokens=12, do_sample=False)[0, tokens.shape[1] :].tolist()
    at = next(place for place in range(3, 12) if written[place] not in written[:place])
    model.model.generation_config = GenerationConfig(eos_token_id=[written[at], 1])
    found = said(speaker_of(model), (3,))
    assert (found.intact.end, found.intact.tokens) == ("end of text", at + 1)
    model.model.generation_config = GenerationConfig()
    model.tokenizer.eos_token = model.tokenizer.convert_ids_to_tokens(written[at])
    assert said(speaker_of(model), (3,)).intact.tokens == at + 1, "the tokenizer's own token ends it too"


def test_the_models_own_settings_count_and_it_never_searches_or_draws_by_them(tiny_model_folder: Path) -> None:
    model = load_model(ModelSource("tiny", tiny_model_folder, "tiny", None))
    before = said(speaker_of(model), (3,))
    model.model.generation_config = GenerationConfig(do_sample=True, temperature=5.0, top_k=3, num_beams=4)
    assert said(speaker_of(model), (3,)).intact == before.intact
    model.model.generation_config = GenerationConfig(repetition_penalty=1.7, max_new_tokens=3)
    found = said(speaker_of(model), (3,))
    assert_said_as_plainly(found.intact, model, PROMPT)
    assert found.intact.tokens == 12


def test_a_message_is_put_into_the_chat_template_where_there_is_one(speaker: Speaker, tiny: LoadedModel) -> None:
    messages = [{"role": "user", "content": PROMPT}]
    rendered = tiny.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    found = said(speaker, (0,), chat=None)
    assert found.chat
    assert found == said(speaker, (0,), chat=True)
    assert_said_as_plainly(found.intact, tiny, rendered)
    plain = said(speaker, (0,))
    assert not plain.chat
    assert plain.intact.top != found.intact.top


def test_a_model_without_a_template_takes_the_prompt_as_it_is(tmp_path: Path) -> None:
    model = load_model(ModelSource("llama", decoder_folder("llama", tmp_path / "llama"), "llama", None))
    speaker = speaker_of(model)
    assert said(speaker, (0,), chat=None) == said(speaker, (0,))
    with pytest.raises(CornerstoneError, match="llama has no chat template"):
        said(speaker, (0,), chat=True)


@pytest.mark.slow
def test_a_template_that_fails_does_so_in_a_sentence_and_is_tried_anew(
    tiny_model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_model(ModelSource("tiny", tiny_model_folder, "tiny", None))
    speaker = speaker_of(model)
    template = model.tokenizer.chat_template
    model.tokenizer.chat_template = "{{ raise_exception('not today') }}"
    with pytest.raises(CornerstoneError, match="not today"):
        said(speaker, (0,), chat=True)
    model.tokenizer.chat_template = template
    assert said(speaker, (0,), chat=True).chat
    speaker.close()


@pytest.mark.parametrize(
    ("prompt", "how", "sentence"),
    [
        (f"{PROMPT} " * 60, {}, "but the model's context has 512; shorten it or ask for fewer tokens"),
        (PROMPT, {"tokens": 510}, "510 more are asked for"),
        ("  \n", {"chat": True}, "white space alone"),
    ],
)
def test_what_does_not_fit_is_refused(prompt: str, how: dict[str, object], sentence: str, speaker: Speaker) -> None:
    with pytest.raises(CornerstoneError, match=sentence):
        said(speaker, (0,), prompt, **how)


@pytest.mark.slow
def test_the_context_may_be_filled_to_its_last_token(speaker: Speaker, tiny: LoadedModel) -> None:
    room = 512 - len(tiny.tokenizer(PROMPT).input_ids)
    assert said(speaker, (0,), tokens=room).intact.tokens == room


def test_memory_that_does_not_suffice_is_told(speaker: Speaker, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    monkeypatch.setattr("core.engine.continuing.Continuer.advance", fail)
    with pytest.raises(CornerstoneError, match="memory does not suffice to continue a prompt of"):
        said(speaker, (0,))


def test_a_model_without_numbers_says_so(tiny_model_folder: Path) -> None:
    model = load_model(ModelSource("tiny", tiny_model_folder, "tiny", None))
    speaker = speaker_of(model)
    assert said(speaker, (5,)).masked.end == "length"
    with torch.no_grad():
        model.model.model.layers[2].mlp.down_proj.weight.fill_(float("nan"))
    found = said(speaker, (5,))
    assert (found.intact.end, found.intact.text, found.intact.top) == ("no numbers", "", ())
    assert found.masked.end == "length"


def test_between_two_tokens_the_model_is_as_it_was(speaker: Speaker, tiny: LoadedModel) -> None:
    alone = said(speaker, (2,))
    tokens = tiny.tokenizer(PROMPT, return_tensors="pt").input_ids
    with torch.inference_mode():
        intact = tiny.model(input_ids=tokens).logits
    found = alone
    for found in speaker.say(Ask(prompt=PROMPT, tokens=12, chat=False), (2,)):  # noqa: B007 the last one is looked at
        assert not torch.is_inference_mode_enabled()
        with torch.inference_mode():
            assert torch.equal(tiny.model(input_ids=tokens).logits, intact)
        said(speaker, (4,), tokens=1)
    assert found == alone
