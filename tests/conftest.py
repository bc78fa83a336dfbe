from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

from tests.support.default_model import default_model

TASKS = Path(__file__).parents[2] / "shared" / "tasks"


@pytest.fixture(scope="session")
def default_model_folder() -> Path:
    return default_model()


@pytest.fixture(scope="session")
def shared_tasks() -> Path:
    if not TASKS.is_dir():
        pytest.skip(f"the benchmark files are not there ({TASKS})")
    return TASKS


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory: pytest.TempPathFactory, default_model_folder: Path) -> Path:
    """A random Llama of four layers with the default model's tokenizer: all of the program, none of the waiting."""
    folder = tmp_path_factory.mktemp("models") / "tiny-llama"
    tokenizer = AutoTokenizer.from_pretrained(default_model_folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=512,
    )
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.3)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many routes of mixture-of-experts models rounding changed, over all tests that counted them."""
    counted: dict[str, int] = {}
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name.startswith("routes"):
                counted[name] = counted.get(name, 0) + int(str(value))
    if counted:
        flipped, routes = counted["routes flipped"], counted["routes"]
        terminalreporter.write_line(f"mixture of experts: {flipped} of {routes} routes differ packed from unpacked")
