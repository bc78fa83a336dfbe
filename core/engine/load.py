"""Load a model onto a device, with its dtype, its players and the record that identifies it."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from accelerate.utils import has_offloaded_params
from transformers import PreTrainedModel

from core.coalitions.expert_layers import in_ranges
from core.coalitions.players import Player, layers_of_experts
from core.engine.adapter import LoraAdapter
from core.engine.decoder import Decoder
from core.engine.expert_players import with_expert_players
from core.engine.generation import Generator
from core.engine.layers import decoder_layers
from core.engine.load_faults import load_faults
from core.engine.open_model import open_weights, read_config
from core.engine.packing_law import verified
from core.engine.placement import is_spread, most_memory
from core.engine.same_model import refuse_far_larger, refuse_other_weights
from core.engine.sizes import compute_device
from core.engine.tokenizer import load_tokenizer
from core.engine.unmapped import unmapped_where_limited
from core.engine.verified_layout import layout_of
from core.engine.weights_in_use import WeightsInUse
from core.engine.weights_told import weights_told
from core.errors import CornerstoneError
from core.machine.byte_count import Told, untold
from core.machine.own_folder import own_folder
from core.machine.own_memory import own_memory
from core.machine.paths import cache_folder
from core.machine.quiet_libraries import quiet_libraries
from core.models.families import HINTS
from core.models.folder_check import check_folder
from core.models.known_experts import keep_experts, known_experts
from core.models.known_layout import keep_layout, known_layout
from core.models.layout import Layout
from core.models.lookup import ModelSource
from core.models.quantization import as_loaded
from core.records.fingerprint import model_fingerprint, with_experts
from core.records.model_files import model_files, refuse_changed, states_of
from core.records.records import ModelRecord


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory, ready for a sweep. ``tokenizer`` is the one that transformers loads."""

    record: ModelRecord
    layout: Layout
    players: tuple[Player, ...]
    model: PreTrainedModel
    tokenizer: Any
    in_use: WeightsInUse
    _decoders: dict[bool, Decoder] = field(default_factory=dict, init=False, repr=False, compare=False)

    def decoder(self, *, laid_out: bool = True) -> Decoder:
        """Return the decoder of this model, always the same one: it remembers what it finds out about the model."""
        if laid_out not in self._decoders:
            self._decoders[laid_out] = Decoder(self.model, self.layout, laid_out=laid_out)
        return self._decoders[laid_out]

    @cached_property
    def generator(self) -> Generator:
        """The generator that continues prompts with this model. Its first use finds the fastest way that is correct."""
        return Generator(self.decoder())

    @cached_property
    def held(self) -> int:
        """The bytes of the program with all of the model's weights read, but for what it has evaluated.

        It is measured once, when it is first asked: later, memory that chunks have left would count.
        """
        return own_memory(".safetensors")

    @property
    def offloaded(self) -> bool:
        """Return whether some weights are stored away from the device that uses them (host memory or disk)."""
        return has_offloads(self.model)


DeviceMap = Mapping[str, str | int]


def has_offloads(model: PreTrainedModel) -> bool:
    """Return whether some weights of a model are stored away from the device that uses them."""
    return any(map(has_offloaded_params, model.modules()))


def load_model(
    source: ModelSource,
    *,
    dtype: str = "auto",
    device: str = "auto",
    device_map: DeviceMap | None = None,
    check_files: bool = False,
    expert_layers: str | None = None,
    told: Told = untold,
) -> LoadedModel:
    """Load a model for evaluation.

    Args:
        source: the folder of the model, its name and its origin.
        dtype: ``float32``, ``bfloat16``, ``float16`` or ``auto``. ``auto`` is float32 on a CPU and a 16-bit type that
            the accelerator supports elsewhere.
        device: ``cpu``, ``cuda``, ``cuda:1``, ``mps``, ``spread`` or ``auto``. ``spread`` lets accelerate place the
            layers on all accelerators, then in host memory, then on disk. ``auto`` takes the best device, and spreads a
            model that is too large for it.
        device_map: modules and their devices, in accelerate's form; replaces ``device``.
        check_files: read all files to identify the model, even where their digests are known.
        expert_layers: the layers in which experts are players, as ``core.coalitions.expert_layers`` writes them.
        told: hears how many bytes of the weights are loaded. What it raises ends the loading.

    Raises:
        CornerstoneError: the architecture is not supported, the device does not exist, the folder is damaged or needs
            code from elsewhere, its files hold another model than its configuration describes, or its experts cannot
            be players.
    """
    before = states_of(source.folder)
    place = device_named(device)
    kind = _dtype(dtype, place)
    checked = check_folder(source.folder)
    held = sum(weight.size for weight in checked.values())
    weights = as_loaded(checked, model_files(source.folder).config)
    placement: dict[str, Any] = {"device_map": device_map}
    if device_map is None and is_spread(source.name, device, place, kind, weights):
        placement = {"device_map": "auto", "max_memory": most_memory()}
    adapter = None if source.adapter is None else LoraAdapter(source.adapter)
    if adapter is not None:
        adapter.refuse_where_not_mergeable(source, spread=placement["device_map"] is not None)
    offload = own_folder(cache_folder("offload")) if placement["device_map"] is not None else None
    if offload is not None:
        placement["offload_folder"] = offload.name
    with quiet_libraries(), load_faults(f"{source.name} from {source.folder}", source.name):
        config = read_config(source.folder)
        rows = refuse_far_larger(config, source.folder, held)
    tokenizer = load_tokenizer(source.folder, config, rows)
    with quiet_libraries(), load_faults(f"{source.name} from {source.folder}", source.name):
        try:
            bytes_of = {name: weight.bytes for name, weight in checked.items()}
            with unmapped_where_limited(), weights_told(bytes_of, told):
                model, found = open_weights(source.folder, config, dtype=kind, use_safetensors=True, **placement)
            if offload is None:
                model.to(place)
            else:
                weakref.finalize(model, offload.cleanup)
        except torch.OutOfMemoryError as error:
            raise CornerstoneError(f"{source.name} does not fit into the memory of {place} as {_name(kind)}") from error
    refuse_other_weights(config, source.folder, found)
    if adapter is not None:
        adapter.merge_into(model)
    fingerprint = model_fingerprint(source.folder, _name(kind), adapter=source.adapter, check=check_files)
    layout = _layout(source, fingerprint, model)
    if expert_layers is not None:
        layout = _of_experts(source, fingerprint, model, layout, expert_layers)
    experts = layers_of_experts(layout.kinds)
    record = ModelRecord(
        fingerprint=with_experts(fingerprint, experts),
        name=f"{source.name}+experts:{in_ranges(experts)}" if experts else source.name,
        source=source.origin,
        revision=source.revision,
        dtype=_name(kind),
        family=config.model_type,
        kinds=layout.kinds,
    )
    reads = place.type == "cpu" or offload is not None
    in_use = WeightsInUse(model_files(source.folder).weights if reads else ())
    refuse_changed(source.folder, before)
    if adapter is not None:
        adapter.refuse_changed()
    return LoadedModel(record, layout, record.players, model, tokenizer, in_use)


def _layout(source: ModelSource, fingerprint: str, model: PreTrainedModel) -> Layout:
    """Return the layout of a loaded model: as it was verified before, or verified now on its weights."""
    device, in_part = compute_device(model).type, has_offloads(model)
    known = known_layout(fingerprint, device, in_part=in_part)
    if known is not None and len(decoder_layers(model, known.path)) == len(known.layers):
        return known
    with quiet_libraries(), load_faults(f"{source.name}, whose layers cannot run one by one", source.name):
        layout = verified(model, layout_of(model, HINTS))
    keep_layout(fingerprint, device, source.folder, layout, in_part=in_part)
    return layout


def _of_experts(source: ModelSource, fingerprint: str, model: PreTrainedModel, layout: Layout, layers: str) -> Layout:
    """Return a layout whose players are the experts of some layers: as they were verified before, or verified now."""
    device = compute_device(model).type
    known = known_experts(fingerprint, device, layout, layers)
    if known is not None:
        return known
    with quiet_libraries(), load_faults(f"{source.name}, whose experts cannot run", source.name):
        found = with_expert_players(model, layout, layers)
    keep_experts(fingerprint, device, source.folder, found)
    return found


def device_named(name: str) -> torch.device:
    """Return a device of this machine by its name; the best one for ``auto``, and for ``spread``, which begins there.

    Raises:
        CornerstoneError: this machine has no such device.
    """
    if name in ("auto", "spread"):
        accelerator = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
        return torch.device(accelerator)
    place = torch.device(name)
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there[place.type] or (place.type == "cuda" and (place.index or 0) >= torch.cuda.device_count()):
        raise CornerstoneError(f"this machine has no device {name!r} that torch can use; auto takes the best there is")
    return place


def chosen_dtype(dtype: str, device: str) -> str:
    """Return the name of the dtype that ``load_model`` takes for these arguments.

    Raises:
        CornerstoneError: there is no such device here.
    """
    return _name(_dtype(dtype, device_named(device)))


def _dtype(name: str, place: torch.device) -> torch.dtype:
    """Return the dtype of that name; choose one for the device if the name is ``auto``.

    A CPU gets float32 even where it multiplies a 16-bit format faster (``core.engine.number_formats``): results are
    exact unless less is asked for.
    """
    if name != "auto":
        chosen = getattr(torch, name)
        assert isinstance(chosen, torch.dtype)
        return chosen
    if place.type == "cpu":
        return torch.float32
    return torch.bfloat16 if place.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float16


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
