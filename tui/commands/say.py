"""`cornerstone say`: what a model writes for a prompt, as it is and without some of its layers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from core.errors import CornerstoneError
from core.machine.whole_number import whole
from core.say.said import DEFAULT_TOKENS, MOST_PROMPT, MOST_SEED, MOST_TEMPERATURE, MOST_TOKENS, Ask, Manner
from tui.commands.options import (
    AdapterOption,
    DebugOption,
    DeviceOption,
    DtypeOption,
    ExpertLayersOption,
    ModelOption,
    OfflineOption,
)

STDIN: Final = "-"
"""Stands for a prompt that is read from stdin."""


class SayForm(StrEnum):
    """The forms in which it is printed."""

    TEXT = "text"
    JSON = "json"


def say(
    prompt: Annotated[
        str, typer.Argument(help="What the model continues, or answers in a chat; - reads it from stdin.")
    ],
    *,
    remove: Annotated[
        list[str] | None, typer.Option(help='Remove these sublayers, such as "Attn 0,FFN 3". Repeat it for more.')
    ] = None,
    model: ModelOption = None,
    adapter: AdapterOption = None,
    expert_layers: ExpertLayersOption = None,
    tokens: Annotated[
        int, typer.Option(min=1, max=MOST_TOKENS, help="How many tokens are written at most.")
    ] = DEFAULT_TOKENS,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=MOST_SEED, help="Draw tokens by this seed (default: always the likeliest token)."),
    ] = None,
    temperature: Annotated[
        float | None,
        typer.Option(
            max=MOST_TEMPERATURE,
            help="With --seed, the temperature: tokens are more random if it is higher (default 1).",
        ),
    ] = None,
    chat: Annotated[
        bool | None,
        typer.Option(
            "--chat/--no-chat", help="Put the prompt into the model's chat template (default: where it has one)."
        ),
    ] = None,
    form: Annotated[SayForm, typer.Option("--format", help="How it is printed.")] = SayForm.TEXT,
    dtype: DtypeOption = None,
    device: DeviceOption = None,
    revision: Annotated[str | None, typer.Option(help="The branch, tag or commit of a hub model.")] = None,
    offline: OfflineOption = None,
    debug: DebugOption = False,
) -> None:
    """Read what a model writes for a prompt, as it is and without some of its layers, side by side.

    Below are the likeliest next tokens of both. With --seed both draw by the same chances, so that they differ only
    where their probabilities do.

    Example: cornerstone say "The capital of France is" --remove "FFN 0"
    """
    from core.say.say_config import say_config
    from core.study.early_checks import checked_players
    from tui.commands.stderr import GETTING_READY, narrate
    from tui.worker_process import become

    del debug
    if seed is None and temperature is not None:
        raise CornerstoneError("--temperature is for tokens that are drawn; give a --seed too")
    manner: dict[str, Any] = {"tokens": tokens, "seed": seed, "chat": chat}
    options: dict[str, Any] = {
        "model": model, "adapter": adapter, "expert_layers": expert_layers, "remove": remove,
        "manner": manner | ({} if temperature is None else {"temperature": temperature}),
        "dtype": dtype, "device": device, "revision": revision, "offline": offline,
    }  # fmt: skip
    config = say_config(options)
    if prompt != STDIN:
        ask_of(config.manner, prompt)
    players = checked_players(config)
    if players is None:
        config.refuse_no_names()
    else:
        config.removed(players)
    narrate(GETTING_READY)
    become("say", config.model_dump_json(), form.value, prompt)


def ask_of(manner: Manner, prompt: str) -> Ask:
    """Return a prompt with the manner in which it is to be continued.

    Raises:
        CornerstoneError: the prompt is empty or too long.
    """
    if not prompt:
        raise CornerstoneError("the prompt is empty; write what the model should continue")
    if len(prompt) > MOST_PROMPT:
        raise CornerstoneError(f"the prompt has more than {whole(MOST_PROMPT)} characters; shorten it")
    return Ask(prompt=prompt, **manner.model_dump())
