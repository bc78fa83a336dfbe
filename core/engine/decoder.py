"""Split a causal language model into three callables: entry (embeddings), layers and head.

No family needs code of its own here. The entry and the head are the model's own forward with its layers standing aside,
and layers are called with the arguments that the model itself gives them (``core.engine.entrance``,
``core.engine.head``).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from itertools import groupby

import torch
from accelerate.utils import send_to_device
from torch import Tensor
from transformers import PreTrainedModel

from core.engine.ahead import Ahead
from core.engine.arguments import LayerCall
from core.engine.entrance import Call, Entrance, Entry, PathCalls
from core.engine.expert_silence import gone_from, without_experts
from core.engine.head import Head
from core.engine.layers import decoder_layers
from core.engine.offloaded import brought_in
from core.engine.onednn import WORTH_PACKING, packed
from core.engine.packing import Row
from core.engine.silence import first_of
from core.engine.stand_ins import StandIns
from core.models.layout import Layout, Sublayer


class Decoder:
    """Runs the parts of a model on packed rows. All methods expect ``torch.inference_mode``.

    With ``laid_out``, matrix products go through oneDNN where that is faster. This takes memory
    (``core.engine.onednn``).
    """

    def __init__(self, model: PreTrainedModel, layout: Layout, *, laid_out: bool = True) -> None:
        self.layout = layout
        self.model = model
        self._layers = decoder_layers(model, layout.path)
        inside = {module for layer in self._layers for module in layer.modules()}
        self._ends = [module for module in model.modules() if module not in inside]
        self._laid_out = laid_out
        self._ahead = Ahead(self._layers)
        self._place = self.device
        self._entrance = Entrance(model, self._layers, layout)
        self._head = Head(model, self._layers, layout, laid_out=laid_out)
        self._stand_ins = StandIns(model.config.get_text_config(), self._layers)

    @property
    def layer_count(self) -> int:
        return len(self._layers)

    @property
    def stages(self) -> list[int]:
        """How many layers in a row lie on one device, in order. Where weights are offloaded, all count as one.

        Then all rows pass a layer before the next one, so that its weights are fetched once.
        """
        if any(weight.is_meta for layer in self._layers for weight in layer.parameters()):
            return [self.layer_count]
        places = [next(layer.parameters()).device for layer in self._layers]
        return [len(list(same)) for _, same in groupby(places)]

    @property
    def device(self) -> torch.device:
        """Return the device that rows must be on: that of the embedding.

        An offloaded embedding has none until it is called, so its hook is asked.
        """
        embedding = self.model.get_input_embeddings()
        hook = getattr(embedding, "_hf_hook", None)
        place = embedding.weight.device
        return torch.device(hook.execution_device) if hook is not None and place.type == "meta" else place

    def enter(self, row: Row) -> Entry:
        """Embed a row, and find the arguments that each layer receives.

        Raises:
            NotShared: the row's requests cannot share it, because their arguments differ where they share tokens.
        """
        return self._entrance.enter(row, self._place)

    @contextmanager
    def loaded(self, index: int, tokens: int = 0) -> Iterator[None]:
        """Keep a layer's weights on the device that uses them, so that offloaded weights are fetched once per block.

        On a CPU the weights are also reordered for fast products, if ``tokens``, the number of tokens to come, is large
        enough to make that pay.
        """
        layer, pays = self._layers[index], self._laid_out and tokens >= WORTH_PACKING
        with brought_in(layer.modules(), self._ahead.taken(index)):
            self._ahead.begin(index + 1)
            with packed(layer) if pays else nullcontext():
                yield

    def fetching_ahead(self) -> AbstractContextManager[None]:
        """Have ``loaded`` fetch the offloaded weights of the layer after it meanwhile, inside the block."""
        return self._ahead.fetching()

    def ends_loaded(self) -> AbstractContextManager[None]:
        """Do the same as ``loaded`` for the modules around the layers: embeddings, final norm and head."""
        return brought_in(self._ends)

    def place(self, index: int) -> torch.device:
        """Return the device on which a layer computes; call it for an offloaded layer inside ``loaded``."""
        return next(self._layers[index].parameters()).device

    def layer(self, index: int, states: Tensor, call: Call | None, removed: int = 0) -> Tensor:
        """Pass states of shape (s, t, ...) through a layer. ``removed`` has a bit for each of its players."""
        if call is None:  # the layer is idle for texts
            return states
        if isinstance(call, LayerCall):
            return self._through(index, states, call, removed)
        return self._by_paths(index, states, call, removed)

    def layer_at(self, index: int, states: Tensor, call: Call | None, at: Tensor, removed: int = 0) -> Tensor:
        """Return the output of ``layer`` at the positions ``at`` of shape (p,); the result has shape (s, p, ...).

        An FFN treats each position by itself. Where it follows the other players, it is computed for these positions
        only.
        """
        layer = self.layout.layers[index]
        last = 1 << len(layer.sublayers) - 1 if layer.sublayers else 0
        if not layer.last_alone or removed & last or not isinstance(call, LayerCall):
            out = self.layer(index, states, call, removed)
            return out[:, at.to(out.device)]
        if removed | last != 2 * last - 1:
            states = self.layer(index, states, call, removed | last)
        others, _ = self._gone(index, last - 1)
        if not self._stand_ins.stand_for_all(index, others, partial(self._run, index, states[:1], call)):
            out = self.layer(index, states, call, last - 1)  # some of these run, and want the whole row
            return out[:, at.to(out.device)]
        return self.layer(index, states[:, at.to(states.device)], call.at(at), last - 1)

    def head(self, hidden: Tensor) -> Iterator[Tensor]:
        """Apply what follows the layers to states (p, ...), and yield float32 logits.

        The vocabulary is split into parts. Each part is a new tensor of shape (p, part), which the caller may
        overwrite.
        """
        return self._head.logits(hidden, self._place)

    def _by_paths(self, index: int, states: Tensor, call: PathCalls, removed: int) -> Tensor:
        """Pass states through a layer that obeys no tree mask: each path of the row goes by itself."""
        out = torch.empty_like(states, device=self.place(index))
        for nodes, alone in call.paths:
            through = self._through(index, states[:, nodes.to(states.device)], alone, removed)
            out[:, nodes.to(out.device)] = through
        return out

    def _through(self, index: int, states: Tensor, call: LayerCall, removed: int) -> Tensor:
        layer, what = self._layers[index], self.layout.layers[index]
        whole, experts = self._gone(index, removed)
        with ExitStack() as silence:
            if what.experts is not None and experts:
                silence.enter_context(without_experts(layer, what.experts, gone_from(what.experts, [experts])))
            if whole:
                run = partial(self._run, index, states[:1], call)
                silence.enter_context(self._stand_ins.silenced(index, whole, run))
            return self._run(index, states, call)

    def _gone(self, index: int, removed: int) -> tuple[list[Sublayer], list[int]]:
        """Return which whole sublayers of a layer are removed, and which experts."""
        gone = [sublayer for bit, sublayer in enumerate(self.layout.layers[index].sublayers) if removed >> bit & 1]
        experts = [sublayer.expert for sublayer in gone if sublayer.expert is not None]
        return [sublayer for sublayer in gone if sublayer.expert is None], experts

    def _run(self, index: int, states: Tensor, call: LayerCall) -> Tensor:
        """Run a layer as it is now."""
        received, place = call.tiled(len(states)), self.place(index)
        if place != self._place:  # the model is spread over several devices
            states, args, kwargs = send_to_device((states, received.args, received.kwargs), place)
            received = replace(received, args=args, kwargs=kwargs)
        return first_of(received.given_to(self._layers[index], states))
