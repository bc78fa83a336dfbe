"""Split a causal language model into three callables: entry (embeddings), layers and head.

No family needs code of its own here. For each row, the model's own forward runs once with its layers replaced by
recorders. This yields the first hidden state and the arguments (rotary embeddings, masks, ...) that each layer would
receive. The head runs the same way: the layers are replaced by functions that pass the hidden states through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from accelerate.utils import send_to_device
from torch import Tensor
from torch.nn.functional import linear
from transformers import PreTrainedModel

from core.engine.layers import decoder_layers
from core.engine.offloaded import brought_in
from core.engine.onednn import WORTH_PACKING, faster, filled, packed, product
from core.engine.packing import Row
from core.engine.removal import forward_replaced, silenced
from core.engine.sizes import head_width
from core.models.families import Family


@dataclass(frozen=True, slots=True)
class LayerCall:
    """The arguments that the model passes to one layer besides the hidden states."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """A row after the embeddings: hidden states of shape (t, hidden), and one ``LayerCall`` per layer."""

    hidden: Tensor
    calls: tuple[LayerCall, ...]


class Decoder:
    """Runs the parts of a model on packed rows. All methods expect ``torch.inference_mode``.

    With ``laid_out``, matrix products go through oneDNN where that is faster. This takes memory
    (``core.engine.onednn``).
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
        # ``enter`` does not use the logits, so the model computes as few as possible.
        accepts = signature(model.forward).parameters
        self._few_logits = {"logits_to_keep": 1} if "logits_to_keep" in accepts else {}

    @property
    def layer_count(self) -> int:
        return len(self._layers)

    @property
    def device(self) -> torch.device:
        """Return the device that rows must be on: that of the embedding.

        An offloaded embedding has none until it is called, so its hook is asked.
        """
        embedding = self._model.get_input_embeddings()
        hook = getattr(embedding, "_hf_hook", None)
        place = embedding.weight.device
        return torch.device(hook.execution_device) if hook is not None and place.type == "meta" else place

    def enter(self, row: Row) -> Entry:
        """Embed a row, and record the arguments that each layer would receive."""
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
        """Keep a layer's weights on the device that uses them, so that offloaded weights are fetched once per block.

        On a CPU the weights are also reordered for fast products, if ``tokens``, the number of tokens to come, is large
        enough to make that pay.
        """
        layer, pays = self._layers[index], self._laid_out and tokens >= WORTH_PACKING
        with brought_in(layer.modules()), packed(layer) if pays else nullcontext():
            yield

    def ends_loaded(self) -> AbstractContextManager[None]:
        """Do the same as ``loaded`` for the modules around the layers: embeddings, final norm and head."""
        return brought_in(self._ends)

    def place(self, index: int) -> torch.device:
        """Return the device on which a layer computes; call it for an offloaded layer inside ``loaded``."""
        return next(self._layers[index].parameters()).device

    def layer(self, index: int, states: Tensor, call: LayerCall, *, attention: bool, ffn: bool) -> Tensor:
        """Pass states of shape (s, t, hidden) through a layer, with its attention or FFN removed on request."""
        layer = self._layers[index]
        place = self.place(index)
        args, kwargs = call.args, call.kwargs
        if place != self._entrance:  # the model is spread over several devices
            states, args, kwargs = send_to_device((states, args, kwargs), place)
        with silenced(layer, self._family, attention=attention, ffn=ffn):
            out: Tensor = layer(states, *args, **kwargs)
        return out

    def layer_at(
        self, index: int, states: Tensor, call: LayerCall, at: Tensor, *, attention: bool, ffn: bool
    ) -> Tensor:
        """Return the output of ``layer`` at the positions ``at`` of shape (p,); the result has shape (s, p, hidden).

        The FFN treats each position by itself. Where it follows the attention, it is computed for these positions only.
        """
        if ffn or self._family.parallel:
            out = self.layer(index, states, call, attention=attention, ffn=ffn)
            return out[:, at.to(out.device)]
        if not attention:
            states = self.layer(index, states, call, attention=False, ffn=True)
        return self.layer(index, states[:, at.to(states.device)], call, attention=True, ffn=False)

    def head(self, hidden: Tensor) -> Iterator[Tensor]:
        """Apply the final norm and the language-model head to (p, hidden), and yield float32 logits.

        The vocabulary is split into parts. Each part is a new tensor of shape (p, part), which the caller may
        overwrite.
        """
        entering: list[Callable[..., Tensor]] = [_Inject(hidden[None])]
        entering += [_pass_on] * (self.layer_count - 1)
        # The placeholder only sets the shape: _Inject replaces the hidden states that come of it.
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
        """Apply Gemma 2's soft cap to the logits; leave those of other models as they are."""
        cap = getattr(self._config, "final_logit_softcapping", None)
        return logits if cap is None else torch.tanh(logits / cap) * cap

    def _run(self, steps: Sequence[Callable[..., Tensor]], **inputs: Any) -> Tensor:
        """Run the model's forward with each layer replaced by a step; return the logits."""
        with ExitStack() as stack:
            for layer, step in zip(self._layers, steps, strict=True):
                stack.enter_context(forward_replaced(layer, step))
            logits: Tensor = self._model(**inputs, use_cache=False).logits
        return logits

    def _masks(self, row: Row) -> Tensor | dict[str, Tensor]:
        """Return the attention masks of a row, in the form that the family expects."""
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
        """Turn a boolean mask into one that is added to attention scores."""
        dtype = self._model.dtype
        mask = torch.zeros(visible.shape, dtype=dtype).masked_fill_(~visible, torch.finfo(dtype).min)
        return mask[None, None].to(self._entrance)


class _Recorder:
    """Stands in for a layer: records the call and passes the hidden states through."""

    def __init__(self) -> None:
        self.hidden: Tensor
        self.call: LayerCall

    def __call__(self, hidden: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        self.hidden, self.call = hidden, LayerCall(args, kwargs)
        return hidden


class _Inject:
    """Stands in for the first layer: returns ``hidden`` whatever its input is."""

    def __init__(self, hidden: Tensor) -> None:
        self._hidden = hidden

    def __call__(self, *_args: Any, **_kwargs: Any) -> Tensor:
        return self._hidden


def _pass_on(hidden: Tensor, *_args: Any, **_kwargs: Any) -> Tensor:
    return hidden
