"""What a model is, told without its weights: it agrees with the files, and with what loading refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.engine.load import load_model
from core.errors import CornerstoneError
from core.machine import file_state
from core.models import hub
from core.models.aliases import aliases
from core.models.architectures import auto_class_name
from core.models.describe import describe
from core.models.lookup import ModelSource, look_up
from tests.support.model_folders import COMMIT, hub_cache
from tests.support.small_gguf import small_gguf
from tests.support.small_model import CONFIG, LAYERS, change_config, small_model, small_weights

SIZE = sum(weight.size for weight in small_weights().values())


def test_a_folder_is_described_by_its_files(tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    found = describe(str(model), offline=True)
    assert (found.architecture, found.layers, found.parameters, found.cached) == ("llama", LAYERS, SIZE, True)
    assert found.players == {"attn": LAYERS, "ffn": LAYERS}
    assert found.bytes == sum(path.stat().st_size for path in model.iterdir())
    assert (found.refused, found.ways, found.download_bytes) == (None, {}, None)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "bert"}, "is an encoder"),
        ({"model_type": "qwen9"}, "is not part of transformers"),
        ({"num_hidden_layers": 500}, "asks for 500 layers"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 4}}, "needs the library gptqmodel"),
    ],
    ids=str,
)
def test_why_a_folder_is_refused_is_said(config: dict[str, object], said: str, tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    change_config(model, **config)
    found = describe(str(model))
    assert said in str(found.refused)
    assert found.parameters is None
    assert found.quantized == ("gptq" if "quantization_config" in config else None)


def test_weights_that_are_cut_off_are_told(tmp_path: Path) -> None:
    model = small_model(tmp_path / "model")
    weights = model / "model.safetensors"
    with weights.open("r+b") as file:
        file.truncate(weights.stat().st_size - 1)
    assert "it is cut off" in str(describe(str(model)).refused)


def test_how_it_is_evaluated_is_known_once_it_was_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    model = small_model(tmp_path / "model")
    monkeypatch.setattr(file_state, "_CLOCK_STEP_NS", 0)  # else no digest is kept of files this young
    assert describe(str(model)).ways == {}
    source = look_up(str(model), revision=None, offline=True)
    assert isinstance(source, ModelSource)
    loaded = load_model(source, device="cpu")
    assert describe(str(model)).ways == {"float32 on cpu": loaded.layout.way}
    change_config(model, rope_theta=9999.0)
    assert describe(str(model)).ways == {}


def test_a_gguf_file_is_described_by_its_header(tmp_path: Path) -> None:
    found = describe(str(small_gguf(tmp_path / "m.gguf")))
    assert (found.architecture, found.layers, found.parameters, found.refused) == ("llama", LAYERS, SIZE, None)
    (tmp_path / "m.gguf").write_bytes(b"nothing")
    assert "does not begin with GGUF" in str(describe(str(tmp_path / "m.gguf")).refused)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from huggingface_hub import constants

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


@pytest.mark.parametrize("alias", aliases(), ids=lambda alias: alias.name)
def test_every_alias_is_described_without_the_hub(alias: object, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "look_at", None)
    name = alias.name  # type: ignore[attr-defined]
    found = describe(name, offline=True)
    assert not found.cached
    assert found.layers is not None
    assert auto_class_name({"model_type": found.architecture}, name).startswith("Auto")
    assert found.description


def test_a_cached_alias_is_described_by_its_files(cache: Path, tmp_path: Path) -> None:
    hub_cache(cache, "openai-community/gpt2", small_model(tmp_path / "model"))
    found = describe("gpt2", offline=True)
    assert (found.cached, found.architecture, found.layers) == (True, "llama", LAYERS)
    assert found.source == f"openai-community/gpt2 at {COMMIT}"
    assert found.description == "GPT-2 124M"


def test_a_model_on_the_hub_is_described_by_its_config(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def on_hub(**settings: object) -> None:
        there = hub.HubModel({**CONFIG, **settings}, 1234, 99)
        monkeypatch.setattr(hub, "look_at", lambda *_: there)

    on_hub()
    found = describe("someone/tiny")
    assert (found.layers, found.parameters, found.download_bytes) == (LAYERS, 99, 1234)
    assert (found.cached, found.refused) == (False, None)
    on_hub(model_type="own", auto_map={"AutoConfig": "x.X"})
    assert "needs code of its own" in str(describe("someone/tiny").refused)
    with pytest.raises(CornerstoneError, match="cannot be fetched offline"):
        describe("someone/tiny", offline=True)


def test_the_hub_is_asked_for_the_config_alone(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub
    from huggingface_hub import hf_api

    model = small_model(tmp_path / "model")
    info = hf_api.ModelInfo(id="someone/tiny", sha=COMMIT, siblings=[])
    info.siblings = [hf_api.RepoSibling(rfilename=path.name, size=path.stat().st_size) for path in model.iterdir()]
    info.siblings.append(hf_api.RepoSibling(rfilename="pytorch_model.bin", size=10**9))
    fetched = []

    def fetch(_: str, name: str, **how: object) -> str:
        fetched.append((name, how["revision"]))
        return str(model / name)

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda *_, **__: info)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetch)
    found = describe("someone/tiny", revision="main")
    assert fetched == [("config.json", "main")]
    assert (found.architecture, found.layers) == ("llama", LAYERS)
    assert found.download_bytes == sum(path.stat().st_size for path in model.iterdir())
    info.siblings = [one for one in info.siblings if one.rfilename != "config.json"]
    with pytest.raises(CornerstoneError, match=r"has no config\.json on the hub"):
        describe("someone/tiny")
