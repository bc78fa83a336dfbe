"""Which model is evaluated, and how it is loaded: the keys that every configuration with a model has."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import pydantic

from core.coalitions.expert_layers import normal_layers
from core.config.task_config import Name, Place, Utf8Path
from core.errors import CornerstoneError
from core.machine.paths import at_home

DEFAULT_MODEL = "smollm2-135m-instruct"


class ModelConfig(pydantic.BaseModel, frozen=True, extra="forbid"):
    """A model by its name, and how it is loaded.

    ``adapter`` is the folder of a LoRA adapter, with which the model is another one. ``expert_layers`` names the layers
    in which each expert is a player (``core.coalitions.expert_layers``), with which it is another one too.
    ``check_files`` reads the files of the model anew to identify them, instead of trusting what is known of them.
    """

    model: Place = DEFAULT_MODEL
    revision: Name | None = None
    adapter: Utf8Path | None = None
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: Annotated[str, pydantic.Field(pattern=r"^(auto|cpu|mps|spread|cuda(:[0-9]{1,4})?)$")] = "auto"
    expert_layers: str | None = None
    offline: bool = False
    check_files: bool = False

    @pydantic.field_validator("expert_layers", mode="before")
    @classmethod
    def _layers(cls, given: Any) -> Any:
        """Take a number, or a list of numbers and ranges, as they are written in a text."""
        many = given if isinstance(given, list | tuple) else [given]
        whole = all(type(one) is int or isinstance(one, str) for one in many) and bool(many)
        try:
            return normal_layers(",".join(map(str, many))) if whole else given
        except CornerstoneError as error:
            raise ValueError(str(error)) from error

    @pydantic.field_validator("adapter")
    @classmethod
    def _adapter_at_home(cls, value: Path | None) -> Path | None:
        return None if value is None else at_home(value)
