"""Add a LoRA adapter to a model: its product of low-rank matrices is added to the weights, so that the model is plain.

A merged model takes all fast paths. Sums are in float32 and are rounded to the model's dtype once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from core.engine.load_faults import load_faults
from core.errors import CornerstoneError
from core.machine.quiet_libraries import quiet_libraries
from core.models.adapter_check import USED, base_model, check_adapter
from core.models.lookup import ModelSource
from core.records.adapter_files import adapter_files
from core.records.model_files import model_files, refuse_other_states

_NAME: Final = "default"
_PROBE: Final = 8
"""Tokens by which a merged model is compared with the one that has its adapter beside it."""
_TOLERANCE: Final = 1e-3


class LoraAdapter:
    """The adapter in a folder. It is checked when it is made, and its files are not to change until it is merged."""

    def __init__(self, folder: Path) -> None:
        """Check the adapter in a folder.

        Raises:
            CornerstoneError: it is no LoRA, it is damaged, or the library for adapters is not installed.
        """
        self._folder = folder
        self._files = check_adapter(folder)
        self._before = self._files.states()

    def refuse_where_not_mergeable(self, source: ModelSource, *, spread: bool) -> None:
        """Raise if the weights of a model take no sum: they are quantized, or not in one place.

        Raises:
            CornerstoneError: they do not.
        """
        if model_files(source.folder).config.get("quantization_config"):
            raise CornerstoneError(
                f"{source.folder} has quantized weights, and an adapter can only be added to weights that are not; use "
                "the model's original weights"
            )
        if spread:
            raise CornerstoneError(
                f"{source.name} does not fit on one device, and an adapter can only be added to a model that does; "
                "choose a smaller dtype, or save the model with its adapter merged"
            )

    def merge_into(self, model: PreTrainedModel) -> None:
        """Add the adapter to the weights of a model, in place.

        Raises:
            CornerstoneError: it was made for another model, or is damaged.
        """
        what = f"the adapter in {self._folder} into {type(model).__name__}"
        with quiet_libraries(), load_faults(what, f"the adapter in {self._folder}"):
            adapted = self._beside(model)
            before = _logits(model)
            _untie(adapted)
            _merge(adapted)
            model.requires_grad_(False)
            after = _logits(model)
        if before.dtype == torch.float32 and not _close(before, after):
            raise CornerstoneError(f"the adapter in {self._folder} is of a kind that cannot be added to the weights")

    def refuse_changed(self) -> None:
        """Raise if a file of the adapter has changed since it was checked.

        Raises:
            CornerstoneError: one has.
        """
        refuse_other_states(adapter_files(self._folder).states(), self._before)

    def _beside(self, model: PreTrainedModel) -> Any:
        """Return the model with its adapter beside its weights, as peft keeps it."""
        from peft import LoraConfig, PeftModel

        used = {key: value for key, value in self._files.config.items() if key in USED and value is not None}
        try:
            adapted = PeftModel(model, LoraConfig(**used, inference_mode=True), _NAME)
        except ValueError as error:
            if "not found in the base model" in str(error) or "No modules were targeted" in str(error):
                raise self._of_another_model(model, "the model has none of the parts that it changes") from error
            raise
        mapping = getattr(model, "_checkpoint_conversion_mapping", None) or {}
        try:
            told = adapted.load_adapter(
                str(self._folder), _NAME, torch_device=str(model.device), key_mapping=mapping, local_files_only=True
            )
        except RuntimeError as error:
            if "size mismatch" in str(error):
                shape = str(error).partition("size mismatch for ")[2].partition(":")[0]
                raise self._of_another_model(model, f"{shape} has another shape there") from error
            raise
        if told.missing_keys:
            raise self._of_another_model(model, f"it lacks {min(told.missing_keys)}")
        if told.unexpected_keys:
            raise self._of_another_model(model, f"the model has no place for {min(told.unexpected_keys)}")
        adapted.eval()
        return adapted

    def _of_another_model(self, model: PreTrainedModel, why: str) -> CornerstoneError:
        meant = base_model(self._files)
        trained = "" if meant is None else f", which was trained for {meant}"
        return CornerstoneError(f"the adapter in {self._folder}{trained}, does not fit {type(model).__name__}: {why}")


def _untie(adapted: Any) -> None:
    """Give each adapted module a weight of its own, because a sum would change the module that shares it too."""
    for module in list(adapted.modules()):
        base = getattr(module, "base_layer", None)
        weight = getattr(base, "weight", None)
        if isinstance(base, nn.Linear | nn.Embedding) and isinstance(weight, nn.Parameter):
            base.weight = nn.Parameter(weight.detach().clone(), requires_grad=False)


def _merge(adapted: Any) -> None:
    """Add the adapter to the weights and take it away, one module after another in float32."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for module in adapted.modules():
        if isinstance(module, BaseTunerLayer):
            base = module.get_base_layer()
            kinds = {name: weight.dtype for name, weight in base.named_parameters()}
            if not kinds or not all(kind.is_floating_point for kind in kinds.values()):
                continue
            base.float()
            module.merge(safe_merge=True)
            for name, weight in base.named_parameters():
                weight.data = weight.data.to(kinds.get(name, weight.dtype))
    adapted.merge_and_unload(safe_merge=True)


def _logits(model: PreTrainedModel) -> Tensor:
    tokens = torch.arange(_PROBE, device=model.device)[None] % model.get_input_embeddings().weight.shape[0]
    with torch.inference_mode():
        logits: Tensor = model(input_ids=tokens, use_cache=False).logits
    return logits


def _close(before: Tensor, after: Tensor) -> bool:
    largest = before.abs().max().clamp(min=1)
    return bool(torch.isfinite(before).all()) is False or bool(((before - after).abs().max() / largest) <= _TOLERANCE)
