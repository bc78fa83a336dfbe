"""A model without its weights: its layers by its configuration, and the tokenizer that cuts its texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import nn
from transformers import AutoConfig, PretrainedConfig, PreTrainedModel

from core.config.model_config import DEFAULT_MODEL, ModelConfig
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
from core.models.known_layout import known_layout
from core.models.layout import Layer, Layout, Sublayer
from core.models.lookup import InGguf, InPackage, ModelSource, OnHub, look_up
from core.records.fingerprint import kept_fingerprint
from core.records.model_files import CONFIG
from core.records.records import ModelRecord

_PLACES: Final = ("cuda", "cpu", "mps")
_DTYPES: Final = ("float32", "bfloat16", "float16")
_MIXES: Final = ("mixer", "ssm", "mamba", "conv", "rnn", "recurrent", "linear_att", "delta")


@dataclass(frozen=True)
class Outline:
    """A model whose weights have shapes and no numbers.

    ``sure`` says whether its players are told by its family or were verified on its weights before; else they are
    those that the names of its modules suggest. ``folder`` holds its tokenizer; None if there is none.
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
        CornerstoneError: there is no such model, its configuration is not at hand, or it is no decoder of texts.
    """
    if choice.expert_layers is not None:
        raise CornerstoneError("single experts can only be counted once the model is loaded; leave them out here")
    name, config, folder = _configured(choice)
    with quiet_libraries(), load_faults(f"{name}, by its configuration", name):
        model = empty_model(config).to(getattr(torch, dtype))
    layout = None if folder is None else _known(folder)
    if layout is None and (told := told_layout(config.model_type, _depth(config))) is not None:
        layout = replace(told, way="packed")
    layout, sure = layout or named_layout(model), layout is not None
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


def _known(folder: Path) -> Layout | None:
    """Return the layout of a model that was verified before on its weights, on any device."""
    try:
        kept = [one for dtype in _DTYPES if (one := kept_fingerprint(folder, dtype)) is not None]
    except CornerstoneError:  # a folder without weights
        return None
    found = (known_layout(one, place, in_part=True) for one in kept for place in _PLACES)
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
    players = []
    for name, part in layer.named_children():
        if name in hint.stays or not any(weight.dim() >= 2 for weight in part.parameters()):
            continue
        mixes = called_attention(model, layer, name) or any(word in name.lower() for word in _MIXES)
        kind = mixer_kind(model, layer, [name]) if mixes else channel_kind(layer, [name])
        players.append(Sublayer(kind, (name,)))
    return tuple(players)
