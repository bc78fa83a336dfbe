"""A model without its weights: its layers by its configuration, and the tokenizer that cuts its texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn
from transformers import AutoConfig, PretrainedConfig, PreTrainedModel

from core.coalitions.players import PlayerKind
from core.config.model_config import DEFAULT_MODEL, ModelConfig
from core.cost.named_experts import with_named_experts
from core.engine.encoding import RequestEncoder
from core.engine.kinds import called_attention, channel_kind, mixer_kind
from core.engine.load import LoadedModel
from core.engine.load_faults import load_faults
from core.engine.open_model import empty_model, read_config, refuse_no_decoder
from core.engine.tokenizer import load_tokenizer
from core.engine.weights_in_use import WeightsInUse
from core.engine.widths import vocabulary
from core.errors import CornerstoneError, Mend
from core.machine.paths import at_home
from core.machine.quiet_libraries import quiet_libraries
from core.models import hub
from core.models.aliases import Alias, aliases
from core.models.families import HINTS, NO_HINT, Hint, told_layout
from core.models.known_experts import known_experts
from core.models.known_layout import known_layout
from core.models.layout import Layer, Layout, Sublayer
from core.models.lookup import InGguf, InPackage, ModelSource, OnHub, look_up
from core.records.fingerprint import kept_fingerprint
from core.records.model_files import CONFIG
from core.records.records import ModelRecord

_PLACES: Final = ("cuda", "cpu", "mps")
_DTYPES: Final = ("float32", "bfloat16", "float16")
_BESIDE: Final = re.compile(r"(?!norm_).*norm(_\d+)?|.*_hc|.*hyper_connection")
"""Names of parts that change what a sublayer reads, or where it adds, and are none."""
_MIXES: Final = ("mixer", "ssm", "mamba", "conv", "rnn", "recurrent", "linear_att", "delta")


@dataclass(frozen=True)
class Outline:
    """A model whose weights have shapes and no numbers.

    ``sure`` says whether its players are told by its family or were verified on its weights before; else they are
    those that the names and the shapes of its modules suggest. ``folder`` holds its tokenizer; None if there is none.
    """

    name: str
    model: PreTrainedModel
    layout: Layout
    sure: bool
    folder: Path | None

    @property
    def record(self) -> ModelRecord:
        dtype = str(self.model.dtype).removeprefix("torch.")
        family = str(self.model.config.model_type)
        return ModelRecord("", self.name, self.name, None, dtype, family, self.layout.kinds)


@dataclass(frozen=True, slots=True)
class Reader:
    """An encoder that cuts texts into tokens. ``own`` says whether it has the model's own tokenizer."""

    encoder: RequestEncoder
    own: bool


def outline_of(choice: ModelConfig, dtype: str) -> Outline:
    """Return a model by its configuration alone.

    Args:
        choice: names the model: also a folder that holds no more than config.json, or that file itself.
        dtype: of its weights.

    Raises:
        CornerstoneError: there is no such model, its configuration is not at hand, or it is no decoder of texts; or
            it does not tell the experts that should be players.
    """
    name, config, folder = _configured(choice)
    with quiet_libraries(), load_faults(f"{name}, by its configuration", name):
        model = empty_model(config).to(getattr(torch, dtype))
    known = () if folder is None else tuple(_known(folder))
    layout = known[0].layout if known else None
    if layout is None and (told := told_layout(config.model_type, _depth(config))) is not None:
        layout = replace(told, way="packed")
    layout, sure = layout or named_layout(model), layout is not None
    if choice.expert_layers is not None:
        verified = _known_experts(known, choice.expert_layers)
        layout = verified or with_named_experts(model, layout, choice.expert_layers, told=sure)
        sure = verified is not None
    if not layout.layers:
        raise CornerstoneError(f"{name} has no layers by its configuration, so there is nothing to remove")
    return Outline(name, model, layout, sure, folder)


def reader_of(outline: Outline) -> Reader:
    """Return what cuts the texts of a model: its own tokenizer, or the default model's where it has none here.

    Raises:
        CornerstoneError: neither tokenizer is on this machine, or it is damaged.
    """
    if outline.folder is not None and any(outline.folder.glob("token*")):
        return Reader(_encoder(outline, outline.folder), own=True)
    place = look_up(DEFAULT_MODEL, revision=None, offline=False)
    if not isinstance(place, ModelSource):
        raise CornerstoneError(
            f"{outline.name} has no tokenizer on this machine, and neither is there the default model, whose tokenizer "
            f"would do for an estimate; run once with {DEFAULT_MODEL}, or add the model's tokenizer to its folder"
        )
    return Reader(_encoder(outline_of(ModelConfig(), "float32"), place.folder), own=False)


def _encoder(outline: Outline, folder: Path) -> RequestEncoder:
    config = outline.model.config
    tokenizer = load_tokenizer(folder, config, vocabulary(config.get_text_config()))
    record = outline.record
    return RequestEncoder(
        LoadedModel(record, outline.layout, record.players, outline.model, tokenizer, WeightsInUse(()))
    )


def _configured(choice: ModelConfig) -> tuple[str, PretrainedConfig, Path | None]:
    """Return the name of a model, its configuration, and its folder if it has one here."""
    path = at_home(choice.model)
    folder = path.parent if path.name == CONFIG and path.is_file() else path
    known = {alias.name: alias for alias in aliases()}
    if choice.model not in known and (folder / CONFIG).is_file():
        folder = folder.resolve()
        return folder.name, _read(folder, folder.name), folder
    alias = known.get(choice.model)
    match look_up(choice.model, revision=choice.revision, offline=choice.offline and alias is None):
        case ModelSource(name=name, folder=folder):
            return name, _read(folder, name), folder
        case InGguf(path):
            return path.stem, read_config(path.parent, gguf_file=path.name), None
        case InPackage() | OnHub() if alias is not None and alias.config:
            return alias.name, _from_facts(alias), None
        case OnHub(hub_id, revision):
            return choice.model, _from_hub(hub_id, revision), None
    raise CornerstoneError(f"{choice.model} must be downloaded before it can be planned for", Mend.LIST_MODELS)


def _read(folder: Path, name: str) -> PretrainedConfig:
    with quiet_libraries(), load_faults(f"{name} from {folder}", name):
        return read_config(folder)


def _from_facts(alias: Alias) -> PretrainedConfig:
    config = AutoConfig.for_model(alias.architecture, num_hidden_layers=alias.layers, **alias.config)
    assert isinstance(config, PretrainedConfig)
    return config


def _from_hub(hub_id: str, revision: str | None) -> PretrainedConfig:
    """Return the configuration of a model on the hub, which is all that is downloaded."""
    settings: Mapping[str, Any] = hub.look_at(hub_id, revision).config
    with quiet_libraries(), load_faults(f"{hub_id}, by its configuration", hub_id):
        config = AutoConfig.for_model(**settings)
        refuse_no_decoder(config, Path(hub_id))
    assert isinstance(config, PretrainedConfig)
    return config


def _depth(config: PretrainedConfig) -> int:
    hint = HINTS.get(config.model_type, NO_HINT)
    text = config.get_text_config()
    return int(getattr(text, hint.depth, None) or text.num_hidden_layers)


@dataclass(frozen=True, slots=True)
class _Known:
    """A layout that was verified before on the weights of a model, by their fingerprint and the device."""

    fingerprint: str
    place: str
    layout: Layout


def _known(folder: Path) -> Iterator[_Known]:
    """Yield the layouts of a model that were verified before on its weights, on any device."""
    try:
        kept = [one for dtype in _DTYPES if (one := kept_fingerprint(folder, dtype)) is not None]
    except CornerstoneError:  # a folder without weights
        return
    for fingerprint in kept:
        for place in _PLACES:
            if (layout := known_layout(fingerprint, place, in_part=True)) is not None:
                yield _Known(fingerprint, place, layout)


def _known_experts(known: Iterable[_Known], layers: str) -> Layout | None:
    """Return the first of some layouts whose experts were verified as players too, with these as players."""
    found = (known_experts(each.fingerprint, each.place, each.layout, layers) for each in known)
    return next((layout for layout in found if layout is not None), None)


def named_layout(model: PreTrainedModel) -> Layout:
    """Return the layers and players of a model as the names of its modules suggest them.

    Raises:
        CornerstoneError: it has no list of layers.
    """
    depth = _depth(model.config)
    lists = {path: each for path, each in model.named_modules() if isinstance(each, nn.ModuleList)}
    path = next((path for path, each in lists.items() if len(each) == depth), None)
    if path is None:
        raise CornerstoneError(f"{type(model).__name__} has no list of {depth} layers; load it to see what it is")
    hint = HINTS.get(model.config.model_type, NO_HINT)
    return Layout(path, tuple(Layer(_named_players(model, layer, hint)) for layer in lists[path]))


def _named_players(model: nn.Module, layer: nn.Module, hint: Hint) -> tuple[Sublayer, ...]:
    """Return the players of a layer: first those that mix tokens, as modules may be made in another order."""
    mixers: list[Sublayer] = []
    channels: list[Sublayer] = []
    for name, part in layer.named_children():
        beside = name in hint.stays or _BESIDE.fullmatch(name)
        if beside or not any(weight.dim() >= 2 for weight in part.parameters()):
            continue
        if called_attention(model, layer, name) or any(word in name.lower() for word in _MIXES):
            mixers.append(Sublayer(_named_mixer(model, layer, name), (name,)))
        elif "shared" in name and channels and channels[-1].kind == "moe":
            channels[-1] = Sublayer("moe", (*channels[-1].parts, name))
        else:
            channels.append(Sublayer(channel_kind(layer, [name]), (name,)))
    return (*mixers, *channels)


def _named_mixer(model: nn.Module, layer: nn.Module, name: str) -> PlayerKind:
    """Return the kind of a part that is called as mixers are; where all parts of a model are, some treat each token."""
    kind = mixer_kind(model, layer, [name])
    if kind != "mixer":
        return kind
    channel = channel_kind(layer, [name])
    return channel if channel == "moe" or type(layer.get_submodule(name)).__name__.endswith("MLP") else kind
