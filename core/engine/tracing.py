"""Trace one short forward of a model: where its layers are, and what each of them receives and returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor, nn

from core.engine.silence import first_of
from core.errors import CornerstoneError

LENGTH: Final = 13
"""Tokens of a trace: more than the windows and chunks of most tiny models, and no multiple of any."""

FAULTS: Final = (RuntimeError, ValueError, TypeError, LookupError, AttributeError)
"""What a model raises where it is given what it cannot use."""

_NO_STATES: Final = "its layers do not take hidden states as their first argument"


@dataclass(frozen=True, slots=True)
class Received:
    """What a layer receives.

    ``hidden`` has shape (1, tokens, ...). ``keyword`` is its name where it is no positional argument. ``args`` and
    ``kwargs`` are the other arguments.
    """

    hidden: Tensor
    keyword: str | None
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def given_to(self, layer: nn.Module, hidden: Tensor) -> Any:
        """Return what the layer returns for other hidden states and the same other arguments."""
        if self.keyword is None:
            return layer(hidden, *self.args, **self.kwargs)
        return layer(*self.args, **self.kwargs, **{self.keyword: hidden})


@dataclass(frozen=True, slots=True)
class LayerTrace:
    """A layer, what it received, and its output. ``returns`` is None for a tensor, else the length of a tuple."""

    layer: nn.Module
    received: Received
    out: Tensor
    returns: int | None


@dataclass(frozen=True, slots=True)
class Trace:
    """A forward on ``tokens`` of shape (1, ``LENGTH``). A layer that did not run has None in ``layers``."""

    path: str
    layers: tuple[LayerTrace | None, ...]
    tokens: Tensor
    logits: Tensor


def received_by(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Received:
    """Sort the arguments of a layer: its hidden states, which come first or have a name, and the others.

    Raises:
        CornerstoneError: there are no hidden states among them.
    """
    received = _sorted(args, kwargs)
    if received is None:
        raise CornerstoneError(_NO_STATES)
    return received


def _sorted(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Received | None:
    if args and isinstance(args[0], Tensor):
        return Received(args[0].clone(), None, args[1:], dict(kwargs))
    for name in ("hidden_states", "hidden", "x", "inputs"):
        if not args and isinstance(kwargs.get(name), Tensor):
            others = {key: value for key, value in kwargs.items() if key != name}
            return Received(kwargs[name].clone(), name, (), others)
    return None


def logits_of(model: nn.Module, tokens: Tensor) -> Tensor:
    """Return the logits of a plain forward, of shape (tokens, vocabulary)."""
    logits: Tensor = model(input_ids=tokens, use_cache=False).logits
    return logits[0]


def find_layers(model: nn.Module, tokens: Tensor) -> Trace:
    """Trace a model, whose layers are the members of the list that runs once, in order, while no other one runs.

    Raises:
        CornerstoneError: there is no such list, or more than one.
    """
    modules = dict(model.named_modules())
    with ExitStack() as hooks:
        stacks = {path: _Stack(list(modules[path]), hooks) for path in _outer_lists(model)}
        logits = logits_of(model, tokens)
    run = {path: stack for path, stack in stacks.items() if stack.calls}
    if not run:
        raise CornerstoneError("none of its lists of modules runs, so that it has no layers that could be found")
    in_order = [path for path, stack in run.items() if stack.calls == sorted(set(stack.calls))]
    if again := sorted(set(run) - set(in_order)):
        raise CornerstoneError(f"its layers at {again[0]} run more than once for a text, or not in order")
    if len(run) > 1:
        longest = sorted(run, key=lambda path: -len(run[path].calls))
        raise CornerstoneError(f"two stacks of layers run, {longest[0]} and {longest[1]}; there can be one only")
    return Trace(in_order[0], run[in_order[0]].traced(), tokens, logits)


def trace(model: nn.Module, path: str, tokens: Tensor) -> Trace:
    """Run a model plainly on tokens of shape (1, t), and keep what each layer at ``path`` receives and returns."""
    with ExitStack() as hooks:
        stack = _Stack(list(model.get_submodule(path)), hooks)  # type: ignore[call-overload]
        logits = logits_of(model, tokens)
    return Trace(path, stack.traced(), tokens, logits)


class _Stack:
    """Notes what the members of a list of modules receive and return, until its hooks are removed."""

    def __init__(self, members: Sequence[nn.Module], hooks: ExitStack) -> None:
        self.calls: list[int] = []
        self._members = members
        self._received: dict[int, Received | None] = {}
        self._returned: dict[int, Any] = {}
        for index, member in enumerate(members):
            hooks.callback(member.register_forward_pre_hook(self._before(index), with_kwargs=True).remove)
            hooks.callback(member.register_forward_hook(self._after(index)).remove)

    def traced(self) -> tuple[LayerTrace | None, ...]:
        """Return what was noted of each member; None for one that did not run."""
        return tuple(self._trace(index) if index in self._returned else None for index in range(len(self._members)))

    def _trace(self, index: int) -> LayerTrace:
        received, out = self._received[index], self._returned[index]
        if received is None:
            raise CornerstoneError(_NO_STATES)
        return LayerTrace(self._members[index], received, first_of(out).clone(), count_of(out))

    def _before(self, index: int) -> Callable[..., None]:
        def note(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            self.calls.append(index)
            self._received[index] = _sorted(args, kwargs)

        return note

    def _after(self, index: int) -> Callable[..., None]:
        def note(_module: nn.Module, _args: Any, out: Any) -> None:
            self._returned[index] = out

        return note


def count_of(out: Any) -> int | None:
    """Return the length of a tuple that a module returned; None for a tensor."""
    return len(out) if isinstance(out, (tuple, list)) else None


def two_texts(model: Any, length: int = LENGTH) -> tuple[Tensor, Tensor]:
    """Return two texts of shape (1, length), of tokens that stand for no image and for no end of a text."""
    embedding = model.get_input_embeddings()
    special = _special(model.config) | _special(model.config.get_text_config())
    drawn = torch.randperm(int(embedding.weight.shape[0]), generator=torch.Generator().manual_seed(0)).tolist()
    plain = [token for token in drawn[: 8 * length + len(special)] if token not in special and token > 2]
    if not plain:
        raise CornerstoneError("it has no tokens but special ones")
    plain = (plain * (2 * length))[: 2 * length]
    place = embedding.weight.device
    if place.type == "meta":  # offloaded: its hook knows where it computes
        place = torch.device(embedding._hf_hook.execution_device)
    first, second = (torch.tensor([plain[at : at + length]], device=place) for at in (0, length))
    return first, second


def _special(config: Any) -> set[int]:
    """Return the tokens that a configuration names: ends of texts, padding, images."""
    named = [value for key, value in vars(config).items() if key.endswith(("token_id", "token_index"))]
    flat = [item for value in named for item in (value if isinstance(value, list) else [value])]
    return {item for item in flat if type(item) is int}


def _outer_lists(model: nn.Module) -> Iterator[str]:
    """Yield the paths of lists of blocks that are in no other list. A block is a module of several modules."""
    found: list[str] = []
    for path, module in model.named_modules():
        if not isinstance(module, nn.ModuleList) or any(path.startswith(f"{outer}.") for outer in found):
            continue
        found.append(path)
        if any(len(list(member.children())) > 1 for member in module):
            yield path
