"""A causal language model as three callables: entry (embeddings), its layers, and head.

Nothing here is rewritten per family. The model's own forward runs once a row with its layers standing aside, which
yields the first hidden state and the arguments (rotary embeddings, masks, ...) it would give each layer; the head runs
the same way, its layers passing on the hidden states that are to be scored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from accelerate.utils import align_module_device, has_offloaded_params, send_to_device
from torch import Tensor, nn
from torch.nn.functional import linear
from transformers import PreTrainedModel

from core.engine.layers import decoder_layers
from core.engine.onednn import WORTH_PACKING, faster, filled, packed, product
from core.engine.packing import Row
from core.engine.removal import forward_replaced, silenced
from core.engine.sizes import head_width
from core.models.families import Family


@dataclass(frozen=True, slots=True)
class LayerCall:
    """What the model passes to one layer besides the hidden states."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """A row on its way in: hidden states of shape (t, hidden) and one call a layer."""

    hidden: Tensor
    calls: tuple[LayerCall, ...]


class Decoder:
    """Runs a model's parts on packed rows. All methods expect ``torch.inference_mode``.

    With ``laid_out`` products go through oneDNN where that is faster; it takes memory (``core.engine.onednn``).
    """

    def __init__(self, model: PreTrainedModel, family: Family, *, laid_out: bool = True) -> None:
        self._model = model
        self._family = family
        self._layers = decoder_layers(model, family)
        inside = {module for layer in self._layers for module in layer.modules()}
        self._ends = [module for module in model.modules() if module not in inside]
        self._config = model.config.get_text_config()
        self._entrance = self.device
        self._laid_out = laid_out
        # What the head makes of a row on its way in is not looked at.
        accepts = signature(model.forward).parameters
        self._few_logits = {"logits_to_keep": 1} if "logits_to_keep" in accepts else {}

    @property
    def layer_count(self) -> int:
        return len(self._layers)

    @property
    def device(self) -> torch.device:
        """Where rows go in: the embedding's device, also where its weights are brought in only when it is called."""
        embedding = self._model.get_input_embeddings()
        hook = getattr(embedding, "_hf_hook", None)
        place = embedding.weight.device
        return torch.device(hook.execution_device) if hook is not None and place.type == "meta" else place

    def enter(self, row: Row) -> Entry:
        """Embed a row and learn what each layer would be called with."""
        recorders = [_Recorder() for _ in self._layers]
        self._run(
            recorders,
            input_ids=torch.from_numpy(row.tokens)[None].to(self._entrance),
            position_ids=torch.from_numpy(row.positions)[None].to(self._entrance),
            attention_mask=self._masks(row),
            **self._few_logits,
        )
        calls = tuple(recorder.call for recorder in recorders)
        return Entry(recorders[0].hidden[0], calls)

    @contextmanager
    def loaded(self, index: int, tokens: int = 0) -> Iterator[None]:
        """Keep a layer's weights where they are used, so that offloaded ones are brought in once for the block.

        On a CPU they are laid out for fast products besides, where as many ``tokens`` are to go through as make it pay.
        """
        layer, pays = self._layers[index], self._laid_out and tokens >= WORTH_PACKING
        with _brought_in(layer.modules()), packed(layer) if pays else nullcontext():
            yield

    def ends_loaded(self) -> AbstractContextManager[None]:
        """The same for what is around the layers: embeddings, final norm and head."""
        return _brought_in(self._ends)

    def place(self, index: int) -> torch.device:
        """Where a layer computes; of an offloaded one, where it is ``loaded``."""
        return next(self._layers[index].parameters()).device

    def layer(self, index: int, states: Tensor, call: LayerCall, *, attention: bool, ffn: bool) -> Tensor:
        """Pass states of shape (s, t, hidden) through a layer, its attention or FFN removed where asked."""
        layer = self._layers[index]
        place = self.place(index)
        args, kwargs = call.args, call.kwargs
        if place != self._entrance:  # a model spread over several devices
            states, args, kwargs = send_to_device((states, args, kwargs), place)
        with silenced(layer, self._family, attention=attention, ffn=ffn):
            out: Tensor = layer(states, *args, **kwargs)
        return out

    def layer_at(
        self, index: int, states: Tensor, call: LayerCall, at: Tensor, *, attention: bool, ffn: bool
    ) -> Tensor:
        """What ``layer`` gives at the positions ``at`` of shape (p,): (s, p, hidden).

        The FFN reads no position but its own, so where it follows the attention it is spared the others.
        """
        if ffn or self._family.parallel:
            out = self.layer(index, states, call, attention=attention, ffn=ffn)
            return out[:, at.to(out.device)]
        if not attention:
            states = self.layer(index, states, call, attention=False, ffn=True)
        return self.layer(index, states[:, at.to(states.device)], call, attention=True, ffn=False)

    def head(self, hidden: Tensor) -> Iterator[Tensor]:
        """Final norm and language-model head: from (p, hidden) float32 logits, the vocabulary a part at a time.

        Each part is a fresh tensor of shape (p, part), to be overwritten at will.
        """
        entering: list[Callable[..., Tensor]] = [_Inject(hidden[None])]
        entering += [_pass_on] * (self.layer_count - 1)
        # Tokens and positions are overwritten by what _Inject returns; they only give the shape.
        placeholder = torch.zeros(1, len(hidden), dtype=torch.long, device=self._entrance)
        output, normed = self._model.get_output_embeddings(), _Recorder()
        with forward_replaced(output, normed):
            self._run(entering, input_ids=placeholder, position_ids=placeholder)
        weight, bias = output.weight, output.bias
        rows, width = normed.hidden[0].to(weight.device), head_width(len(weight), weight.device)
        fast = self._laid_out and faster(weight.device, weight.dtype)
        multiply, rows = (product, filled(rows)) if fast else (linear, rows)
        for start in range(0, len(weight), width):
            part = slice(start, start + width)
            logits = multiply(rows, weight[part], None if bias is None else bias[part])[: len(hidden)]
            yield self._capped(logits).float()

    def _capped(self, logits: Tensor) -> Tensor:
        """What Gemma 2 makes of its logits."""
        cap = getattr(self._config, "final_logit_softcapping", None)
        return logits if cap is None else torch.tanh(logits / cap) * cap

    def _run(self, steps: Sequence[Callable[..., Tensor]], **inputs: Any) -> Tensor:
        with ExitStack() as stack:
            for layer, step in zip(self._layers, steps, strict=True):
                stack.enter_context(forward_replaced(layer, step))
            logits: Tensor = self._model(**inputs, use_cache=False).logits
        return logits

    def _masks(self, row: Row) -> Tensor | dict[str, Tensor]:
        visible = torch.from_numpy(row.visible())
        full = self._additive(visible)
        if self._family.masks == "full":
            return full
        window = getattr(self._config, "sliding_window", None)
        if window is None:
            sliding = full
        else:
            positions = torch.from_numpy(row.positions)
            sliding = self._additive(visible & (positions[:, None] - positions[None, :] < window))
        if self._family.masks == "sliding":
            return sliding
        return {"full_attention": full, "sliding_attention": sliding}

    def _additive(self, visible: Tensor) -> Tensor:
        dtype = self._model.dtype
        mask = torch.zeros(visible.shape, dtype=dtype).masked_fill_(~visible, torch.finfo(dtype).min)
        return mask[None, None].to(self._entrance)


@contextmanager
def _brought_in(modules: Iterable[nn.Module]) -> Iterator[None]:
    """Left alone, accelerate's hooks bring offloaded weights in at every call of a module.

    What is in already, for a sweep that this one interrupts, stays when the block ends.
    """
    with ExitStack() as stack:
        for module in filter(_is_out, modules):
            stack.enter_context(align_module_device(module))
            stack.enter_context(forward_replaced(module, vars(module)["_old_forward"]))
        yield


def _is_out(module: nn.Module) -> bool:
    return has_offloaded_params(module) and any(parameter.is_meta for parameter in module.parameters())


class _Recorder:
    """Stands in for a layer: notes its call and passes the hidden states on."""

    def __init__(self) -> None:
        self.hidden: Tensor
        self.call: LayerCall

    def __call__(self, hidden: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        self.hidden, self.call = hidden, LayerCall(args, kwargs)
        return hidden


class _Inject:
    """Stands in for the first layer: whatever comes in, ``hidden`` goes on."""

    def __init__(self, hidden: Tensor) -> None:
        self._hidden = hidden

    def __call__(self, *_args: Any, **_kwargs: Any) -> Tensor:
        return self._hidden


def _pass_on(hidden: Tensor, *_args: Any, **_kwargs: Any) -> Tensor:
    return hidden
