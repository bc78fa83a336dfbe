"""Models other than a Llama, from folder to figure: a hybrid, experts after a dense layer, four players a layer.

The truth is lm-eval over plain transformers, with the outputs of submodules zeroed.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, AutoTokenizer

import configs
from core.evaluator import client
from core.machine.file_state import FileState
from tests.support.decoder_folder import decoder_folder
from tests.support.programs import PROGRAM, cornerstone, read
from tests.support.terminal import Terminal

LIMIT = 6
ROWS = [
    json.loads(line)
    for line in Path(configs.__file__).with_name("tasks").joinpath("agreement.jsonl").read_text().splitlines()
]


@dataclass(frozen=True)
class Model:
    """A type, the submodules that each player zeroes, the names in figures, and the rows of its grid."""

    type: str
    players: Mapping[str, tuple[str, ...]]
    kinds: tuple[str, ...]
    rows: tuple[str, ...]


MODELS = [
    Model(
        "nemotron_h",
        {name: (f"layers.{layer}.mixer",) for layer, name in enumerate(("SSM 0", "MoE 1", "Attn 2", "FFN 3"))},
        ("SSM", "MoE", "attention", "FFN"),
        ("Mix ", "FFN "),
    ),
    Model(
        "deepseek_v3",
        {
            **{f"Attn {layer}": (f"layers.{layer}.self_attn",) for layer in range(4)},
            **{f"{'MoE' if layer else 'FFN'} {layer}": (f"layers.{layer}.mlp",) for layer in range(4)},
        },
        ("attention", "FFN", "MoE"),
        ("Attn", "FFN "),
    ),
    Model(
        "longcat_flash",
        {
            name.format(layer): tuple(f"layers.{layer}.{part}" for part in parts)
            for layer in range(2)
            for name, parts in {
                "Attn {}a": ("self_attn.0",),
                "MoE {}": ("mlp", "mlps.0"),
                "Attn {}b": ("self_attn.1",),
                "FFN {}": ("mlps.1",),
            }.items()
        },
        ("attention", "MoE", "FFN"),
        ("Attn", "MoE ", "FFN "),
    ),
]


@dataclass(frozen=True)
class Studied:
    """A model's folder, and the store of a study of it through the command line."""

    model: Model
    folder: Path
    store: Path


@pytest.fixture(scope="module", params=MODELS, ids=lambda model: model.type)
def studied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Studied:
    model: Model = request.param
    place = tmp_path_factory.mktemp("model")
    folder, store = decoder_folder(model.type, place / model.type), place / "s.duckdb"
    studied = Studied(model, folder, store)
    study(studied)
    return studied


def study(studied: Studied) -> None:
    done = cornerstone(
        "run", "--model", studied.folder, "--task", "agreement", "--limit", str(LIMIT),
        "--schedule", "ablation", "--schedule", "windows", "--store", studied.store,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_each_player_is_removed_as_in_plain_lm_eval(studied: Studied) -> None:
    labels = {row["player"]: row["label"] for row in read(studied.store, "ablation")}
    assert sorted(labels.values()) == sorted(studied.model.players)
    stored = read(studied.store, "outcomes")
    documents = [row["doc_id"] for row in stored if row["removed"] == []]
    assert len(documents) == LIMIT
    intact = scores(studied, documents, ())
    assert [row["logprobs"] for row in stored if row["removed"] == []] == intact
    for player, label in labels.items():
        found = [row["logprobs"] for row in stored if row["removed"] == [player]]
        expected = scores(studied, documents, studied.model.players[label])
        assert found == expected
        assert expected != intact


def scores(studied: Studied, documents: Sequence[int], silent: tuple[str, ...]) -> list[object]:
    """Return the log-probabilities of the documents' choices, as lm-eval finds them."""
    model = AutoModelForCausalLM.from_pretrained(studied.folder, dtype=torch.float32).eval()
    lm = HFLM(pretrained=model, tokenizer=AutoTokenizer.from_pretrained(studied.folder), batch_size=1)
    with ExitStack() as stack, torch.inference_mode():
        for part in silent:
            stack.callback(model.model.get_submodule(part).register_forward_hook(zeros).remove)
        rows = [ROWS[document] for document in documents]
        return [pytest.approx([choice(lm, row, text) for text in row["choices"]], abs=1e-4) for row in rows]


def choice(lm: HFLM, row: Mapping[str, str], text: str) -> float:
    request = Instance("loglikelihood", dict(row), (row["text"], f" {text}"), 0)
    ((logprob, _),) = lm.loglikelihood([request], disable_tqdm=True)
    return float(logprob)


def zeros(_module: nn.Module, _inputs: object, out: Tensor | tuple[Tensor, ...]) -> object:
    return torch.zeros_like(out) if isinstance(out, Tensor) else (torch.zeros_like(out[0]), *out[1:])


@pytest.mark.parametrize("table", ["shapley", "interactions", "coalitions", "cornerstones"])
def test_every_table_of_it_can_be_read(studied: Studied, table: str) -> None:
    assert read(studied.store, table)


def test_a_figure_of_it_names_the_kinds_of_its_players(studied: Studied, tmp_path: Path) -> None:
    image = tmp_path / "f.svg"
    done = cornerstone("figure", "ablation", "--store", studied.store, "-o", image)
    assert done.returncode == 0, done.stderr
    drawn = image.read_text(encoding="utf-8")
    assert all(f">{name}</text>" in drawn for name in studied.model.kinds)


@pytest.mark.slow
def test_its_model_and_how_it_is_evaluated_are_told(studied: Studied) -> None:
    while not all(FileState.of(file.stat()).settled(time.time_ns()) for file in studied.folder.iterdir()):
        time.sleep(0.1)  # the digest of a file that has just been written is not kept
    study(studied)
    done = cornerstone("models", studied.folder, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert list(told["ways"].values()) == ["mixed" if studied.model.type == "nemotron_h" else "packed"]
    assert sum(told["players"].values()) == len(studied.model.players)


@pytest.fixture
def terminal(studied: Studied, tmp_path: Path) -> Iterator[Terminal]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    terminal = Terminal(tmp_path, 80, 24)
    yield terminal
    terminal.kill()
    asyncio.run(client.stop(studied.store))


@pytest.mark.slow
def test_the_explorer_shows_it_in_a_small_terminal(studied: Studied, terminal: Terminal) -> None:
    options = ("--model", studied.folder, "--task", "agreement", "--limit", str(LIMIT), "--store", studied.store)
    terminal.run(*PROGRAM, "explore", *options)
    first = next(iter(studied.model.players))
    shown = terminal.until(f"{len(studied.model.players)} players", f"n = {LIMIT}", "no job", f"{first}  without it")
    rows = [line[2:6] for line in shown.splitlines()]
    assert all(row in rows for row in studied.model.rows), shown
    terminal.press("space")
    terminal.until(f"R = {{{first}}}", "drop")
