"""Fixtures that all tests share: a home of their own, models, benchmark files."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings

from tests.support.programs import end_fork_server

TASKS = Path(__file__).parents[2] / "shared" / "tasks"
HOME = pytest.StashKey[TemporaryDirectory[str]]()

LONGEST = ("test_written.py", "test_parity.py", "test_short.py")
"""Files with tests of minutes, the longest first."""

# How long an example takes depends on the machine.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


def pytest_configure(config: pytest.Config) -> None:
    """Keep the user's settings, data, keys and hub cache out, before a library looks for them.

    The cache is the user's: the default model is converted there once.
    """
    config.stash[HOME] = TemporaryDirectory(prefix="cornerstone-tests-")
    os.environ |= {
        **_folders(Path(config.stash[HOME].name)),
        "HF_HOME": str(Path(config.stash[HOME].name, "huggingface")),
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
    }
    for name in ("HF_TOKEN", "HF_HUB_CACHE", "HF_DATASETS_CACHE", "NO_COLOR", "FORCE_COLOR"):
        os.environ.pop(name, None)
    # Under nohup it is ignored, and the programs that tests start would inherit that.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest tests, so that at the end no process waits for one."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


def pytest_unconfigure(config: pytest.Config) -> None:
    end_fork_server()
    config.stash[HOME].cleanup()


def _folders(home: Path) -> dict[str, str]:
    return {f"XDG_{kind.upper()}_HOME": str(home / kind) for kind in ("config", "data", "state")}


@pytest.fixture(autouse=True)
def _home_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test sees no settings, results or sessions but its own."""
    for name, folder in _folders(tmp_path).items():
        monkeypatch.setenv(name, folder)


@pytest.fixture(scope="session")
def default_model_folder() -> Path:
    from tests.support.default_model import default_model

    return default_model()


@pytest.fixture(scope="session")
def shared_tasks() -> Path:
    if not TASKS.is_dir():
        pytest.skip(f"the benchmark files are not there ({TASKS})")
    return TASKS


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory: pytest.TempPathFactory, default_model_folder: Path) -> Path:
    """A random Llama of four layers with the default model's tokenizer: small, so that programs are fast."""
    # The process that hands out the tests to others should not load these.
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

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
    """Report how many routes of mixture-of-experts models rounding changed, over all tests that counted them."""
    counted: dict[str, int] = {}
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if name.startswith("routes"):
                counted[name] = counted.get(name, 0) + int(str(value))
    if counted:
        flipped, routes = counted["routes flipped"], counted["routes"]
        terminalreporter.write_line(f"mixture of experts: {flipped} of {routes} routes differ packed from unpacked")
