"""Convert a GGUF file to safetensors once, because GGUF takes half a minute to read and safetensors seconds."""

from __future__ import annotations

import errno
import io
import os
import struct
from contextlib import redirect_stderr
from pathlib import Path

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.errors import CornerstoneError
from core.machine.quiet_libraries import quiet_libraries
from core.models.converted import declare_complete, is_complete, scratch_folder

_ATTEMPTS = 3

# Exceptions that transformers raises for a file that is not GGUF, is truncated, or has an unknown architecture.
_FILE_FAULTS = (ValueError, KeyError, IndexError, TypeError, AttributeError, RuntimeError, EOFError, struct.error)


def convert_gguf(gguf: Path, target: Path) -> None:
    """Write the model and tokenizer in ``gguf`` to the folder ``target``, dequantized to float32.

    ``target`` is created complete or not at all. A folder there that is not complete is replaced.

    Raises:
        CornerstoneError: the file cannot be read as a model, or the converted model cannot be written.
    """
    # transformers shows a progress bar for GGUF that no option turns off.
    with quiet_libraries(), redirect_stderr(io.StringIO()), scratch_folder() as scratch:
        try:
            model = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
            tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        except _FILE_FAULTS as error:
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise CornerstoneError(f"cannot read {gguf} as a GGUF model ({reason})") from error
        _forget_quantization(model)
        folder = scratch / "model"
        try:
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            _move_into_place(folder, target)
        except Exception as error:  # tokenizers raises no narrower one
            if not isinstance(error, OSError | SafetensorError) and "os error" not in str(error):
                raise
            raise _unwritten(error, target) from error


def _unwritten(error: Exception, target: Path) -> CornerstoneError:
    """Return the error of a converted model that could not be written."""
    full = getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT} or "No space left" in str(error)
    if full:
        return CornerstoneError(f"the disk is full: the converted model did not fit into {target.parent}")
    return CornerstoneError(f"cannot write the converted model to {target}: {str(error).partition(chr(10))[0]}")


def _forget_quantization(model: torch.nn.Module) -> None:
    """Delete the attributes that would make transformers save, or later load, the float32 weights as quantized."""
    config = model.config
    for owner, attribute in ((config, "quantization_config"), (model, "hf_quantizer"), (model, "is_quantized")):
        if attribute in vars(owner):
            delattr(owner, attribute)


def _move_into_place(folder: Path, target: Path) -> None:
    """Move a folder to ``target``, which appears in one step, with all its files on the disk."""
    if not declare_complete(folder):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    for file in folder.iterdir():
        with file.open("rb") as written:
            os.fsync(written.fileno())
    for attempt in range(_ATTEMPTS):
        try:
            folder.rename(target)
        except OSError:
            # Another process has converted the same file in the meantime, or what is there is not complete.
            if is_complete(target):
                return
            target.rename(folder.with_name(f"damaged-{attempt}"))
        else:
            return
    raise OSError(errno.EEXIST, f"other programs keep writing to {target}")
