"""Convert a GGUF file to safetensors once, because GGUF takes half a minute to read and safetensors seconds."""

from __future__ import annotations

import errno
import io
import os
import struct
from contextlib import redirect_stderr
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.errors import CornerstoneError
from core.machine.quiet_libraries import quiet_libraries

# Exceptions that transformers raises for a file that is not GGUF, is truncated, or has an unknown architecture.
_FILE_FAULTS = (ValueError, KeyError, IndexError, TypeError, AttributeError, RuntimeError, EOFError, struct.error)


def convert_gguf(gguf: Path, target: Path) -> None:
    """Write the model and tokenizer in ``gguf`` to the folder ``target``, dequantized to float32.

    ``target`` is created complete or not at all.

    Raises:
        CornerstoneError: the file cannot be read as a model, or the disk is full.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # transformers shows a progress bar for GGUF that no option turns off.
    with quiet_libraries(), redirect_stderr(io.StringIO()), TemporaryDirectory(dir=target.parent) as scratch:
        try:
            model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
            tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        except _FILE_FAULTS as error:
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise CornerstoneError(f"cannot read {gguf} as a GGUF model ({reason})") from error
        _forget_quantization(model)
        try:
            model.save_pretrained(scratch)
            tokenizer.save_pretrained(scratch)
        except OSError as error:
            if error.errno == errno.ENOSPC or "No space left" in str(error):
                raise CornerstoneError(
                    f"the disk is full: the converted model did not fit into {target.parent}"
                ) from error
            raise
        _move_into_place(Path(scratch), target)


def _forget_quantization(model: torch.nn.Module) -> None:
    """Delete the attributes that would make transformers save, or later load, the float32 weights as quantized."""
    config = model.config
    for owner, attribute in ((config, "quantization_config"), (model, "hf_quantizer"), (model, "is_quantized")):
        if attribute in vars(owner):
            delattr(owner, attribute)


def _move_into_place(folder: Path, target: Path) -> None:
    """Move the files into the target folder, which appears in one step."""
    finished = target.parent / f".{target.name}-{os.getpid()}"
    finished.mkdir()
    for file in folder.iterdir():
        file.rename(finished / file.name)
    try:
        finished.rename(target)
    except OSError:
        # Another process has converted the same file in the meantime.
        if not (target / "config.json").is_file():
            raise
        for file in finished.iterdir():
            file.unlink()
        finished.rmdir()
