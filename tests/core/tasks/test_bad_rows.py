"""Bad data files and chat templates: each is refused in one sentence, by the checks that come before any evaluation."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from core.config.run_config import RunConfig, load_config
from core.engine.encoding import RequestEncoder
from core.errors import CornerstoneError
from core.study.early_checks import refuse_at_once
from core.study.workbench import Workbench, open_workbench
from tests.support import bad_rows
from tests.support.byte_model import byte_model


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    model = byte_model(tmp_path_factory.mktemp("byte-model"))
    return open_workbench(load_config(None, {"model": str(model), "tasks": ["agreement"], "limit": 2}))


def _opened(config: RunConfig, bench: Workbench) -> None:
    """Check a run as the command line does, then as the work itself does."""
    refuse_at_once(config)
    open_workbench(config, last=bench)


SLOW = pytest.mark.slow
FEW = ("text twice", "the choices 'are'", "the text '\"\\\\ud800\"'", "the gold answer 0.5")


@pytest.mark.parametrize(("seed", "every"), [(0, False), *(pytest.param(seed, True, marks=SLOW) for seed in (0, 1))])
def test_rows_10_14_and_23_a_bad_file_is_refused_with_its_name(
    seed: int, every: bool, bench: Workbench, tmp_path: Path
) -> None:
    sentences = {}
    files = list(bad_rows.bad_files(random.Random(seed), tmp_path))
    assert len(files) > 60
    for name, path in files if every else [one for at, one in enumerate(files) if at % 8 == 0 or one[0] in FEW]:
        config = load_config(None, {"model": bench.config.model, "tasks": [f"agreement={path}"]})
        with pytest.raises(CornerstoneError) as raised:
            _opened(config, bench)
        sentences[name] = str(raised.value)
        assert sentences[name].isprintable(), name
        assert path.name in sentences[name], name
    for name in FEW:
        assert ", line " in sentences[name]


@pytest.mark.slow
def test_a_bad_chat_template_is_refused_in_time(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder: RequestEncoder = bench.encoder
    for name, template in bad_rows.bad_templates(random.Random(0)):
        monkeypatch.setattr(encoder._lm.tokenizer, "chat_template", template)
        with (
            encoder.chat_renderer() as render,
            pytest.raises(CornerstoneError, match="the chat template of ") as raised,
        ):
            render([{"role": "user", "content": "What is up?"}])
        assert str(raised.value).isprintable(), name
