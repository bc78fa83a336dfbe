"""Load the model that a configuration names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from core.coalitions.players import Player
from core.config.model_config import ModelConfig
from core.engine.fetch import find_model
from core.engine.load import LoadedModel, load_model
from core.models.families import expected_players
from core.study.listener import Listener


def load_chosen(choice: ModelConfig, listener: Listener, check: Callable[[Sequence[Player]], object]) -> LoadedModel:
    """Find a model, download or convert it if necessary, and load it.

    Args:
        choice: names the model.
        listener: gets sentences on slow work, and bytes of downloads and weights.
        check: raises where what is wanted of the players cannot be done. It is called as soon as the players are known,
            and once the model is loaded.

    Raises:
        CornerstoneError: the model cannot be had or loaded, or ``check`` refuses its players.
    """
    source = find_model(
        choice.model,
        revision=choice.revision,
        offline=choice.offline,
        narrate=listener.narrate,
        told=partial(listener.on_bytes, f"downloading {choice.model}"),
    )
    source = source.with_adapter(choice.adapter)
    if (players := expected_players(source.folder, choice.expert_layers)) is not None:
        check(players)  # what cannot be done is said before the wait
    listener.narrate(f"loading {source.name}")
    model = load_model(
        source,
        dtype=choice.dtype,
        device=choice.device,
        check_files=choice.check_files,
        expert_layers=choice.expert_layers,
        told=partial(listener.on_bytes, f"loading {source.name}"),
    )
    check(model.players)
    return model
