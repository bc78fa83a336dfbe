"""Templates of lm-eval are compiled once where many documents are rendered, and not otherwise."""

from __future__ import annotations

import pytest
from lm_eval import utils

from core.tasks.templates import compiled_once


def test_a_template_is_compiled_once_inside_and_renders_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []
    compile_template = utils.env.compile
    monkeypatch.setattr(utils.env, "compile", lambda source: compiled.append(source) or compile_template(source))
    documents = [{"question": "a"}, {"question": "b"}]
    plain = [utils.apply_template("Q: {{question}}", document) for document in documents]
    assert len(compiled) == 2
    with compiled_once():
        assert (
            [utils.apply_template("Q: {{question}}", document) for document in documents] == plain == ["Q: a", "Q: b"]
        )
        with compiled_once():
            utils.apply_template("Q: {{question}}", documents[0])
        utils.apply_template("Q: {{question}}", documents[1])
    assert len(compiled) == 3
    assert "from_string" not in vars(utils.env)
    utils.apply_template("Q: {{question}}", documents[0])
    assert len(compiled) == 4
