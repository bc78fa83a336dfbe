"""The command lines that the program tells people to run."""

from __future__ import annotations

import shlex
from pathlib import Path

from core.coalitions.grouping import SUBLAYERS
from core.config.gap import PackagedStudy
from core.config.run_config import RunConfig, run_settings
from core.config.task_config import TaskConfig
from core.estimators.setting import in_digits
from core.removal_path.request import PathRequest
from core.say.said import DEFAULT_TOKENS, Ask
from store.file.location import default_path

# Keys of a run that its command names only where they are not the default.
_OPTIONS = (
    "limit",
    "players",
    "expert_layers",
    "value",
    "until_top",
    "until_cost",
    "confidence",
    "order",
    "seed",
    "num_fewshot",
    "dtype",
    "device",
    "memory",
    "workers",
    "ray",
    "revision",
    "adapter",
)

_SAID_OF_A_MODEL = ("adapter", "expert_layers", "dtype", "device", "revision")


def run_command(run: RunConfig | PackagedStudy, store: Path) -> str:
    """Return the command line that does a run and stores it in ``store``, whatever store the run itself names."""
    words = ["cornerstone", "run"]
    words += [run.name] if isinstance(run, PackagedStudy) else _options(run)
    return shlex.join([*words, *store_option(store)])


def path_command(config: RunConfig, request: PathRequest, store: Path) -> str:
    """Return the command line that searches a path."""
    words = ["cornerstone", "path", *_options(_alone(config)), *option("steps", str(request.steps))]
    if request.players != SUBLAYERS:
        words += option("players", request.players)
    if request.value is not None:
        words += option("value", request.value)
    if not request.held_out:
        words.append("--no-held-out")
    return shlex.join([*words, *store_option(store)])


def proxies_command(config: RunConfig, value: str | None, store: Path) -> str:
    """Return the command line that measures proxies."""
    words = ["cornerstone", "proxies", *_options(_alone(config))]
    if value is not None:
        words += option("value", value)
    return shlex.join([*words, *store_option(store)])


def say_command(config: RunConfig, ask: Ask, removed: str) -> str:
    """Return the command line that continues a prompt without the players that ``removed`` names."""
    words = ["cornerstone", "say", *(option("remove", removed) if removed else []), *option("model", config.model)]
    defaults = RunConfig(tasks=config.tasks)
    for key in _SAID_OF_A_MODEL:
        if getattr(config, key) != getattr(defaults, key):
            words += option(key, str(getattr(config, key)))
    if ask.tokens != DEFAULT_TOKENS:
        words += option("tokens", str(ask.tokens))
    if ask.seed is not None:
        words += option("seed", str(ask.seed))
    if ask.chat is not None:
        words.append("--chat" if ask.chat else "--no-chat")
    return shlex.join([*words, "--", ask.prompt] if ask.prompt.startswith("-") else [*words, ask.prompt])


def _alone(config: RunConfig) -> RunConfig:
    """Return the model, tasks and documents of a configuration, without what it runs."""
    return config.model_copy(
        update={
            "schedule": (),
            "remove": (),
            "players": SUBLAYERS,
            "value": None,
            "settings": {},
            "until_top": None,
            "until_cost": None,
        }
    )


def store_option(path: Path) -> list[str]:
    """Return the words that name the store at ``path``: none for the default one."""
    return [] if path == default_path() else ["--store", str(path)]


def option(key: str, text: str) -> list[str]:
    """Return the words that give an option, named after a key of the configuration, a value."""
    return [f"--{key.replace('_', '-')}", text]


def task_text(task: TaskConfig) -> str:
    """Return a task as an option names it: ``NAME``, or ``NAME=FILE.jsonl`` for local data."""
    return task.name if task.data is None else f"{task.name}={task.data}"


def _options(config: RunConfig) -> list[str]:
    words = ["--model", config.model]
    for task in config.tasks:
        words += ["--task", task_text(task)]
    for path in config.include_path:
        words += option("include_path", str(path))
    if config.trust_task_code:
        words.append("--trust-task-code")
    for name in config.schedule:
        words += ["--schedule", name]
    for removed in config.remove:
        words += ["--remove", removed]
    defaults = RunConfig(tasks=config.tasks)
    for key in _OPTIONS:
        if getattr(config, key) != getattr(defaults, key):
            words += option(key, str(getattr(config, key)))
    for setting in run_settings():
        if setting.name in config.settings:
            words += option(setting.name, in_digits(config.settings[setting.name]))
    if config.apply_chat_template:
        words.append("--apply-chat-template")
    return words
