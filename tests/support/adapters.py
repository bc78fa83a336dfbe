"""LoRA adapters for tiny models, as peft saves them, with large random weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel


def save_adapter(base: Path, folder: Path, **settings: Any) -> Path:
    """Save a random adapter of the model in ``base``. ``settings`` are those of peft's LoraConfig."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(**{"r": 3, "lora_alpha": 5, "task_type": "CAUSAL_LM", **settings})
    torch.manual_seed(1)
    adapted = get_peft_model(plain(base), config)
    with torch.no_grad():
        for parameter in adapted.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn_like(parameter) * 0.3)
    adapted.save_pretrained(folder)
    return folder


def beside(base: Path, adapter: Path) -> Any:
    """Return the model with its adapter beside its weights: the independent truth."""
    from peft import PeftModel

    return PeftModel.from_pretrained(plain(base), adapter).eval()


def plain(base: Path) -> PreTrainedModel:
    """Return the model in a folder, as transformers loads it in float32."""
    return AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()


def change_adapter(folder: Path, **settings: Any) -> None:
    """Replace settings of an adapter's configuration."""
    path = folder / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **settings}))
